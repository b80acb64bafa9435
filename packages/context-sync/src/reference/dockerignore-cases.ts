import type { RandomSource } from "./random-source.ts";

/** A `.dockerignore` file, and paths that it may ignore. */
export interface DockerignoreCase {
  readonly text: string;
  readonly paths: readonly string[];
}

const names = [
  ...["a", "b", "ab", "abc", "A", "foo", "foo.txt", "foo.md", "README.md", "bar", "src", "node_modules", ".git", ".a"],
  ...[
    "é",
    "日本",
    "\u{1f600}",
    "a b",
    "[x]",
    "x-y",
    "#x",
    "!x",
    "a+b",
    "a(b",
    "a{2}",
    "$x",
    "x^",
    "a|b",
    "a\\b",
    "aa",
    "-",
  ],
] as const;

const wildcards = [
  ...[
    "*",
    "**",
    "?",
    "*.md",
    "*.*",
    ".*",
    "f*",
    "*o*",
    "**.md",
    "foo**",
    "a**b",
    "***",
    "?*",
    "??",
    "[ab]",
    "[^a]",
    "[a-f]*",
  ],
  ...[
    "[!a]",
    "[\\]]",
    "\\*",
    "\\[x]",
    "\\?",
    "{a,b}",
    "(a|b)",
    "a{1,2}",
    "x+",
    "^a",
    "a$",
    ".",
    "..",
    "...",
    "\\!x",
    "[é-ü]",
  ],
  ...["[日]*", "\\\\", "a.b", "\\a", "[a-c]?"],
] as const;

/** What is malformed, or looks so. */
const oddities = [
  "[",
  "[a",
  "[]",
  "[]a]",
  "[^]",
  "[-a]",
  "[a-]",
  "[b-a]",
  "a\\",
  "*\\",
  "\\d",
  "*(",
  "[[:alpha:]]",
  "[a-c-e]",
] as const;

/** One file of up to six lines, with paths of which about half are made to match. */
export function makeDockerignoreCase(random: RandomSource): DockerignoreCase {
  const patterns = repeat(1 + random.below(5), () => randomPattern(random));
  const lines = patterns.map((pattern) => decorate(random, pattern));
  if (random.chance(0.2))
    lines.splice(random.below(lines.length + 1), 0, random.pick(["", "# comment", "  ", "#", " # x"]));
  const end = random.pick(["\n", "\n", "\n", "\r\n"]);
  const text = (random.chance(0.03) ? "\ufeff" : "") + lines.join(end) + random.pick(["", end]);
  const paths = repeat(10, () =>
    random.chance(0.6) ? matchingPath(random, random.pick(patterns)) : randomPath(random),
  );
  return { text, paths };
}

function repeat<Value>(count: number, make: () => Value): Value[] {
  return Array.from({ length: count }, make);
}

function randomPattern(random: RandomSource): string {
  const components = repeat(1 + random.below(3), () => randomComponent(random)).join("/");
  const prefix = random.pick(["", "", "", "", "", "**/", "./", "/", "../", "//"]);
  const pattern = prefix + components + random.pick(["", "", "", "", "/", "/*", "/**", "//"]);
  return (random.chance(0.3) ? "!" : "") + pattern;
}

function randomComponent(random: RandomSource): string {
  if (random.chance(0.5)) return random.pick(names);
  if (random.chance(0.03)) return random.pick(oddities);
  if (random.chance(0.7)) return random.pick(wildcards);
  const name: string = random.pick(names);
  const at = random.below(name.length + 1);
  return (name.slice(0, at) + random.pick(["*", "?", "**", "[a-z]"]) + name.slice(at + random.below(2))).toWellFormed();
}

function decorate(random: RandomSource, pattern: string): string {
  if (random.chance(0.85)) return pattern;
  const spaced = pattern.startsWith("!") ? `! ${pattern.slice(1)}` : pattern;
  return random.pick([`  ${pattern}`, `${pattern} `, `\t${pattern}\t`, spaced, `\u00a0${pattern}`, `!${pattern}`, "!"]);
}

function randomPath(random: RandomSource): string {
  return repeat(1 + random.below(4), () => random.pick(names)).join("/");
}

/** A path that the pattern matches if it means what it looks like. */
function matchingPath(random: RandomSource, pattern: string): string {
  const components = pattern
    .replace(/^!/, "")
    .split("/")
    .flatMap((component) => matchingComponents(random, component));
  if (random.chance(0.3)) components.push(random.pick(names));
  const kept = components.filter((component) => component !== "" && component !== "." && component !== "..");
  return kept.length === 0 ? random.pick(names) : kept.join("/");
}

function matchingComponents(random: RandomSource, component: string): string[] {
  if (component === "**") return repeat(random.below(3), () => random.pick(names));
  const name = component
    .replace(/\[[^\]]*\]/g, () => random.pick(["a", "b", "é", "]", "x"]))
    .replace(/\\(.)/gu, "$1")
    .replace(/\*+/g, () => random.pick(["", "a", "foo", "o", ".md"]))
    .replace(/\?/g, () => random.pick(["a", "b", "é"]));
  return [name];
}
