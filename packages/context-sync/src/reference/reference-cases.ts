import type { ScanOptions } from "../scan-filter.ts";
import type { RandomSource } from "./random-source.ts";
import type { TreeEntry } from "./reference-tree.ts";
import { nameParts, randomTree, trees } from "./trees.ts";

/** A scan, or a look at the paths to follow, of one of the trees. */
export type TreeCase = ScanOptions & { readonly tree: string };

/** Questions that can be put to this package and to the Go reference. */
export interface ReferenceCases {
  readonly trees: Readonly<Record<string, readonly TreeEntry[]>>;
  readonly ignoreFiles: readonly string[];
  /** Pattern and name. */
  readonly names: readonly (readonly [pattern: string, name: string])[];
  readonly patterns: readonly { readonly patterns: readonly string[]; readonly paths: readonly string[] }[];
  readonly follows: readonly TreeCase[];
  readonly scans: readonly TreeCase[];
}

const ignoreFiles = [
  "",
  "\n\n",
  "# comment\n #no comment\nfoo\n",
  "\ufefffoo\n\ufeffbar",
  "\ufeff# comment\nfoo",
  "  /foo/  \r\n!  /bar//baz/../x \n/\n./a/\n!\n! \n..\n../x\n/../y\n",
  "a\\ b\n**/x\n/**\nfoo/./bar\n\u0085trim\u00a0\n\u3000\nfoo#bar\n!#x\n\\#y\n",
  "no newline at end",
  "tab\there\n\t\n.\n./\n//\n//x\n",
  `${"a".repeat(65_535)}\nb`,
  `${"a".repeat(65_536)}\nb`,
];

const patternLists: readonly (readonly string[])[] = [
  ["*", "!keep/**", "keep/tmp"],
  ["**/foo"],
  ["**/*.md"],
  ["a/**"],
  ["**"],
  ["**/"],
  ["/x"],
  ["./x/"],
  ["!"],
  ["! "],
  ["["],
  ["a\\"],
  ["a*["],
  ["*["],
  ["[]a]"],
  ["x*[]a]"],
  ["[a-]"],
  ["[-a]"],
  ["[^a]*"],
  ["[!a]"],
  ["a^b"],
  ["a^b*"],
  ["a.b", "a+b", "a(b)", "a|b", "a{b}", "a$b"],
  ["a.b*", "a+b*", "a(b)*", "a|b*", "a{b}*", "a$b*"],
  ["a{2}*", "a{b*", "x{1,}?", "a{2,1}*"],
  ["a|b*", "!a|b"],
  ["\\d*"],
  ["\\.git"],
  ["\\é"],
  ["x*\\y"],
  ["**foo"],
  ["foo**"],
  ["foo**bar"],
  ["**/foo/**"],
  ["a/**/b"],
  ["***"],
  ["a*[a*]"],
  ["?"],
  ["??"],
  ["é?"],
  ["", " ", "\t"],
  ["foo", "!foo/bar", "foo/bar/x"],
  ["foo/*", "!foo/b", "!**/*.md"],
  ["!foo", "foo"],
  ["*", "!*/"],
  [".*"],
  ["..", "."],
  ["../foo"],
  ["[[:alpha:]]*"],
  ["a*[b-a]"],
  ["a*b\\"],
  ["foo/"],
  ["!/foo", "*"],
];

const pathsToTry = [
  "a",
  "ab",
  "b",
  "foo",
  "foo/bar",
  "foo/bar/x",
  "foobar",
  "foo/b",
  "afoo",
  "a/foo",
  "a/foo/b",
  "a/b",
  "a/x/y/b",
  "x",
  "x/y",
  "x.md",
  "a/x.md",
  "keep",
  "keep/x",
  "keep/tmp",
  "keep/tmp/y",
  ".git",
  ".git/HEAD",
  "é",
  "éa",
  "😀",
  "a.b",
  "axb",
  "a+b",
  "a(b)",
  "a|b",
  "a{b}",
  "a$b",
  "a^b",
  "5",
  "]",
  "[x]",
  "a\nb",
  "a/\n/b",
];

const names: readonly (readonly [string, string])[] = [
  ["", ""],
  ["abc", "abc"],
  ["*", "abc"],
  ["*c", "abc"],
  ["a*", "ab/c"],
  ["a*/b", "abc/b"],
  ["a*b*c*d*e*/f", "axbxcxdxe/f"],
  ["a*b?c*x", "abxbbxdbxebxczzy"],
  ["ab[c]", "abc"],
  ["ab[b-d]", "abc"],
  ["ab[^c]", "abc"],
  ["a\\*b", "a*b"],
  ["a???b", "a☺b"],
  ["[a-ζ]*", "α"],
  ["*[a-ζ]", "A"],
  ["a?b", "a/b"],
  ["[\\]a]", "]"],
  ["[\\-x]", "x"],
  ["[-x]", "x"],
  ["[x-]", "x"],
  ["[a-b-c]", "a"],
  ["[", "a"],
  ["[^bc", "a"],
  ["a[", "ab"],
  ["a[", "x"],
  ["*x", "xxx"],
  ["*[", "b"],
  ["a*[", "b"],
  ["a*[", "ab"],
  ["a\\", "a"],
];

const hardScans: readonly TreeCase[] = [
  ...Object.keys(trees).map((tree) => ({ tree })),
  { tree: "hardlinks", exclude: ["a"] },
  { tree: "hardlinks", exclude: ["a/first", "b"] },
  { tree: "hardlinks", include: ["c", "d", "f"] },
  { tree: "project", exclude: ["*", "!keep/**", "keep/tmp"] },
  { tree: "project", exclude: ["**/node_modules", ".git", "**/*.md", "!README.md"] },
  { tree: "project", exclude: ["docs", "!docs/sub/b.md"] },
  { tree: "project", exclude: ["*", "!src/**/*.ts"] },
  { tree: "project", include: ["src/a", "docs/sub/*"], exclude: ["**/node_modules"] },
  { tree: "project", include: ["**/foo"] },
  { tree: "project", include: ["src", "!src/foo"] },
  { tree: "project", include: [""] },
  { tree: "project", include: ["."] },
  { tree: "project", include: ["."], followPaths: [] },
  { tree: "project", followPaths: ["Dockerfile", "Dockerfile.dockerignore", "dockerfile"] },
  { tree: "project", followPaths: ["."] },
  { tree: "project", followPaths: ["src/*/foo*", "/docs"] },
  { tree: "project", exclude: ["a*["] },
  { tree: "project", exclude: ["["] },
  { tree: "links", followPaths: ["alias/deep/leaf"] },
  { tree: "links", followPaths: ["chain/file.txt", "al*"] },
  { tree: "links", followPaths: ["absolute/leaf", "dangling", "loop-a", "self"] },
  { tree: "links", followPaths: ["up/to/back/to/file.txt", "escape/file.txt"] },
  { tree: "links", followPaths: ["up/root/alias", "up/here/l*"] },
  { tree: "links", followPaths: ["*"] },
  { tree: "links", followPaths: ["\\[x]", "[x]", "*/l?"] },
  { tree: "links", followPaths: ["missing/*/x", "real/file.txt/x", "[", "real/.", "./alias/"] },
];

/** The hand-picked cases, and for each kind `count` random ones (of the scans half as many). */
export function createReferenceCases(random: RandomSource, count: number): ReferenceCases {
  const randomTrees = Object.fromEntries(
    Array.from({ length: 4 }, (_, index) => [`random-${index}`, randomTree(random)]),
  );
  const allTrees = { ...trees, ...randomTrees };
  const scans: TreeCase[] = [
    ...hardScans,
    ...Object.keys(randomTrees).map((tree) => ({ tree })),
    ...repeat(count / 2, () => randomScan(random, allTrees)),
  ];
  return {
    trees: allTrees,
    ignoreFiles,
    names: [...names, ...repeat(count, () => [randomComponent(random), random.pick(nameParts)] as const)],
    patterns: [
      ...patternLists.map((patterns) => ({ patterns, paths: pathsToTry })),
      ...repeat(count, () => ({ patterns: randomPatterns(random, 5), paths: repeat(12, () => randomPath(random)) })),
    ],
    follows: scans.filter((scan) => scan.followPaths),
    scans,
  };
}

function repeat<Value>(count: number, make: () => Value): Value[] {
  return Array.from({ length: count }, make);
}

function randomScan(random: RandomSource, choices: ReferenceCases["trees"]): TreeCase {
  const tree = random.pick(Object.keys(choices));
  return {
    tree,
    ...(random.chance(0.4) ? { include: randomPatterns(random, 3).filter(isWellFormed) } : {}),
    ...(random.chance(0.7) ? { exclude: randomPatterns(random, 5).filter(isWellFormed) } : {}),
    ...(random.chance(0.4)
      ? { followPaths: repeat(1 + random.below(3), () => randomFollowPath(random, choices[tree] ?? [])) }
      : {}),
  };
}

/** fsutil tests exclude patterns even where no include pattern leads, and so meets some malformed ones that we do not. */
function isWellFormed(pattern: string): boolean {
  return !/\\(?!\[)/.test(pattern);
}

function randomPath(random: RandomSource): string {
  return repeat(1 + random.below(4), () => random.pick(nameParts)).join("/");
}

function randomFollowPath(random: RandomSource, tree: readonly TreeEntry[]): string {
  const path = random.chance(0.6) && tree.length > 0 ? random.pick(tree).path : randomPath(random);
  return random.chance(0.3) ? path.replace(/[^/]+/, () => random.pick(["*", "f*", "?", "[a-f]*"])) : path;
}

function randomPatterns(random: RandomSource, limit: number): string[] {
  return repeat(1 + random.below(limit), () => randomPattern(random));
}

function randomPattern(random: RandomSource): string {
  const components = repeat(1 + random.below(3), () => randomComponent(random)).join("/");
  const prefix = random.pick(["", "", "", "", "!", "!", "**/", "!**/", "./", "/"]);
  return prefix + components + random.pick(["", "", "", "", "/", "/*", "/**"]);
}

function randomComponent(random: RandomSource): string {
  const name: string = random.pick(nameParts);
  const at = random.below(name.length + 1);
  if (random.chance(0.45)) return name;
  if (random.chance(0.3))
    return random.pick(["*", "**", "?", "[ab]", "[^a]", "{a,b}*", "a|b*", "*.md", "[a-f]*", "\\[x]", "*.*", ".*"]);
  return name.slice(0, at) + random.pick(["*", "?", "**", "\\", "[a-z]"]) + name.slice(at + random.below(2));
}
