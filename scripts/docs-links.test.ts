import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

import { describe, expect, it } from "vitest";

import { fillExamples, regionOf } from "./doc-examples.ts";
import { docFiles, readRepositoryFile } from "./doc-files.ts";
import { repositoryRoot } from "./run-command.ts";

const withoutCode = (markdown: string): string => markdown.replace(/^```[\s\S]*?^```$/gm, "").replace(/`[^`\n]*`/g, "");

/** The anchors that a Markdown file has, as GitHub makes them of its headings. */
function anchors(markdown: string): ReadonlySet<string> {
  const headings = markdown.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/^#{1,6} (.*)$/gm);
  const slug = (heading: string): string =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-");
  return new Set([...headings].map(([, heading = ""]) => slug(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1"))));
}

function brokenLinks(path: string): readonly string[] {
  const links = withoutCode(readRepositoryFile(path)).matchAll(/\]\(([^)\s]+)\)/g);
  return [...links].flatMap(([, link = ""]) => {
    // The API site is built, not committed.
    if (/^[a-z]+:/.test(link) || /(^|\/)api\//.test(link)) return [];
    const [file = "", anchor] = link.split("#");
    const target = file === "" ? path : join(dirname(path), file);
    if (!existsSync(join(repositoryRoot, target))) return [link];
    if (anchor === undefined || !target.endsWith(".md")) return [];
    return anchors(readRepositoryFile(target)).has(anchor) ? [] : [link];
  });
}

describe.each(docFiles())("%s", (path) => {
  it("has only relative links that lead somewhere", () => {
    expect(brokenLinks(path)).toEqual([]);
  });

  it("shows its examples as they are (npm run docs -- --write-examples)", () => {
    const text = readRepositoryFile(path);
    expect(text).toBe(fillExamples(text, readRepositoryFile));
  });
});

describe("examples in docs", () => {
  it("are the region's lines, moved to the left edge", () => {
    expect(regionOf("a\n  // #region x\n  b\n\n    c\n  // #endregion x\n", "x", "f.ts")).toBe("b\n\n  c\n");
  });

  it("replace what stands below their marker, and nothing else", () => {
    const markdown = "<!-- example: f.ts#x -->\n```ts\nold\n```\n\n```ts\nkept\n```\n";
    const filled = fillExamples(markdown, () => "// #region x\nnew\n// #endregion x\n");
    expect(filled).toBe("<!-- example: f.ts#x -->\n```ts\nnew\n```\n\n```ts\nkept\n```\n");
  });

  it("must exist", () => {
    expect(() => fillExamples("<!-- example: f.ts#y -->\n```ts\n```\n", () => "")).toThrow('f.ts has no region "y"');
  });
});
