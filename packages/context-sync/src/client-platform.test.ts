import { win32 } from "node:path";

import { describe, expect, test } from "vitest";

import { clientPlatform, contextMode, contextPath } from "./client-platform.ts";
import { parseDockerignore } from "./dockerignore.ts";
import { createPatternMatcher } from "./pattern-matcher.ts";

/** What a client has: entries as its `lstat` and `readlink` tell them, with the separators of its system. */
interface ClientTree {
  readonly platform: "posix" | "windows";
  readonly dockerignore: string;
  readonly entries: readonly (readonly [path: string, mode: number, target?: string])[];
}

/** What of it becomes the context. */
function contextOf({ platform, dockerignore, entries }: ClientTree): string[] {
  const matcher = createPatternMatcher(parseDockerignore(dockerignore, platform), platform);
  return entries
    .map(([path, mode, target]) => ({
      path: contextPath(path, platform),
      mode: contextMode(mode, platform).toString(8),
      target: target === undefined ? "" : ` -> ${contextPath(target, platform)}`,
    }))
    .filter(({ path }) => !matcher.matches(path))
    .map(({ path, mode, target }) => `${mode} ${path}${target}`);
}

describe("a context of a Windows client", () => {
  const entries = [
    ["bin", 0o040666],
    ["bin\\run.sh", 0o100666],
    ["bin\\read-only.sh", 0o100444],
    ["docs\\A.MD", 0o100666],
    ["docs\\b.md", 0o100666],
    ["link", 0o120666, "..\\other\\file"],
    ["node_modules\\p\\index.js", 0o100666],
  ] as const;

  test("has slashes, execute bits for everybody, and nothing that others may write to", () => {
    expect(contextOf({ platform: "windows", dockerignore: "", entries })).toEqual([
      "40755 bin",
      "100755 bin/run.sh",
      "100555 bin/read-only.sh",
      "100755 docs/A.MD",
      "100755 docs/b.md",
      "120755 link -> ../other/file",
      "100755 node_modules/p/index.js",
    ]);
  });

  test.each([
    ["**/node_modules\r\n*\\*.md\r\n", ["docs/A.MD"]],
    ["docs\\b.md\r\nNODE_MODULES\r\n", ["docs/A.MD", "node_modules/p/index.js"]],
    ["\ufeff.\\docs\\\r\n!docs\\A.MD\r\n", ["docs/A.MD", "node_modules/p/index.js"]],
    ["# bin\r\n\r\n  docs/*  \r\n", ["node_modules/p/index.js"]],
  ])("ignores what %j names, with either separator and line end, in its own case", (dockerignore, rest) => {
    const left = contextOf({ platform: "windows", dockerignore, entries }).map((line) => line.split(" ")[1] ?? "");
    expect(left.filter((path) => /docs|node_modules/.test(path))).toEqual(rest);
  });

  test("cannot escape: a backslash separates", () => {
    const matcher = createPatternMatcher(["a\\*b"], "windows");
    expect([matcher.matches("a/xb"), matcher.matches("a*b")]).toEqual([true, false]);
  });
});

describe("a context of a Linux or macOS client", () => {
  test("has modes and names as they are: a backslash is a character, and escapes in patterns", () => {
    const entries = [
      ["bin/run.sh", 0o100755],
      ["data", 0o100664],
      ["setuid", 0o104755],
      ["back\\slash", 0o100600],
      ["Cafe\u0301", 0o100644],
      ["Caf\u00e9", 0o100644],
      ["x*y", 0o100644],
      ["link", 0o120777, "odd\\target"],
    ] as const;
    // Names that look alike, or differ in case alone, are as different as their bytes.
    const dockerignore = "x\\*y\r\nCaf\u00e9\nDATA\n";
    expect(contextOf({ platform: "posix", dockerignore, entries })).toEqual([
      "100755 bin/run.sh",
      "100664 data",
      "104755 setuid",
      "100600 back\\slash",
      "100644 Cafe\u0301",
      "120777 link -> odd\\target",
    ]);
  });

  test("is that of this process", () => {
    expect(clientPlatform).toBe(process.platform === "win32" ? "windows" : "posix");
  });
});

describe("a path that is longer than Windows takes as it is", () => {
  const folders = Array.from({ length: 60 }, (_, index) => `folder-${index}`);
  /** The limit of Win32, which paths of the form that names no other do not have; those know no slash. */
  const isTaken = (path: string): boolean =>
    path.startsWith("\\\\?\\") ? path.length < 32_767 && !path.includes("/") : path.length < 260;
  /** What Node hands to Windows for a path. */
  const handedOver = (path: string): string => win32.toNamespacedPath(path);

  test("is kept in the context", () => {
    expect(contextPath(folders.join("\\"), "windows")).toBe(folders.join("/"));
  });

  test("is found by the path that the context gives it, behind a root of either kind", () => {
    for (const root of ["C:\\project", "\\\\server\\share\\project"]) {
      // As the scan and whoever reads files join them.
      const path = `${root}/${folders.join("/")}`;
      expect(isTaken(path)).toBe(false);
      expect(isTaken(handedOver(path))).toBe(true);
      expect(handedOver(path).endsWith(`\\project\\${folders.join("\\")}`)).toBe(true);
    }
  });

  test("would not be without that form, and neither would one whose slashes stay", () => {
    expect(isTaken(win32.join("C:\\project", ...folders))).toBe(false);
    expect(isTaken(`\\\\?\\C:\\project/${folders.join("/")}`)).toBe(false);
  });
});
