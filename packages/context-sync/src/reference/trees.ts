import type { RandomSource } from "./random-source.ts";
import type { TreeEntry } from "./reference-tree.ts";

/** Trees with one difficulty each, by name. */
export const trees: Readonly<Record<string, readonly TreeEntry[]>> = {
  order: [
    { path: "foo/" },
    { path: "foo/z", sizeBytes: 3, mtimeSeconds: 0 },
    { path: "foo-bar", mtimeSeconds: -1 },
    { path: "foo.txt" },
    { path: "foo0/" },
    { path: "foo0/a" },
    { path: "\u{ff21}" },
    { path: "\u{1f600}" },
    { path: "\u{e000}" },
    { path: "é" },
    { path: "Z" },
    { path: "a" },
    { path: "a b/" },
    { path: "a b/,c" },
  ],
  modes: [
    { path: "setuid", permissions: 0o4755, sizeBytes: 1 },
    { path: "setgid/", permissions: 0o2755 },
    { path: "sticky/", permissions: 0o1777 },
    { path: "none", permissions: 0 },
    { path: "pipe", fifo: true },
    { path: "half", mtimeSeconds: 1_700_000_000.5 },
    { path: "empty/" },
  ],
  hardlinks: [
    { path: "a/" },
    { path: "a/first", sizeBytes: 12 },
    { path: "b/" },
    { path: "b/second", hardlink: "a/first" },
    { path: "c/" },
    { path: "c/third", hardlink: "a/first" },
    { path: "d", hardlink: "a/first" },
    { path: "e", sizeBytes: 5 },
    { path: "f", hardlink: "e" },
    { path: "pipe", fifo: true },
    { path: "pipe2", hardlink: "pipe" },
    { path: "s", link: "e" },
    { path: "s2", hardlink: "s" },
  ],
  links: [
    { path: "real/" },
    { path: "real/file.txt", sizeBytes: 2 },
    { path: "real/deep/" },
    { path: "real/deep/leaf" },
    { path: "alias", link: "real" },
    { path: "alias.txt", link: "real/file.txt" },
    { path: "absolute", link: "/real/deep" },
    { path: "chain", link: "alias" },
    { path: "dangling", link: "nowhere/x" },
    { path: "loop-a", link: "loop-b" },
    { path: "loop-b", link: "loop-a" },
    { path: "self", link: "self" },
    { path: "escape", link: "../../../real" },
    { path: "up/" },
    { path: "up/to", link: "../real" },
    { path: "up/root", link: "/" },
    { path: "up/here", link: "." },
    { path: "up/l1", link: "../alias.txt" },
    { path: "up/l2", link: "nowhere" },
    { path: "real/back", link: "../up" },
    { path: "[x]", link: "real/file.txt" },
  ],
  project: [
    { path: ".dockerignore", sizeBytes: 30 },
    { path: ".git/" },
    { path: ".git/HEAD" },
    { path: "Dockerfile" },
    { path: "README.md" },
    { path: "docs/" },
    { path: "docs/a.md" },
    { path: "docs/sub/" },
    { path: "docs/sub/b.md" },
    { path: "keep/" },
    { path: "keep/tmp/" },
    { path: "keep/tmp/y" },
    { path: "keep/x" },
    { path: "node_modules/" },
    { path: "node_modules/p/" },
    { path: "node_modules/p/index.js" },
    { path: "src/" },
    { path: "src/a/" },
    { path: "src/a/foo.ts" },
    { path: "src/a/node_modules/" },
    { path: "src/a/node_modules/q" },
    { path: "src/foo/" },
    { path: "src/foo/bar" },
    { path: "src/main.ts" },
    { path: "foo/" },
    { path: "foo/foo/" },
    { path: "foo/foo/foo" },
    { path: "foo/b" },
  ],
};

export const nameParts = [
  "a",
  "b",
  "foo",
  "foo.txt",
  "bar",
  "src",
  "x.md",
  ".git",
  "é",
  "a b",
  "[x]",
  "foo-bar",
] as const;

/** A tree of up to three levels with files, hard links and symbolic links. */
export function randomTree(random: RandomSource): TreeEntry[] {
  const entries: TreeEntry[] = [];
  const files: string[] = [];
  fill(random, "", 0, entries, files);
  return entries;
}

function fill(random: RandomSource, prefix: string, depth: number, entries: TreeEntry[], files: string[]): void {
  for (const name of nameParts) {
    if (random.chance(0.55)) continue;
    const path = prefix + name;
    if (depth < 3 && random.chance(0.45)) {
      entries.push({ path: `${path}/` });
      fill(random, `${path}/`, depth + 1, entries, files);
    } else if (random.chance(0.15)) {
      entries.push({ path, link: random.pick(["a", "../b", "/foo", "/src/a", "..", "foo/bar", "/bar/foo.txt"]) });
    } else if (files.length > 0 && random.chance(0.15)) {
      entries.push({ path, hardlink: random.pick(files) });
    } else {
      entries.push({ path, sizeBytes: random.below(9) });
      files.push(path);
    }
  }
}
