/** Go's `filepath.Match` refuses this pattern. */
export class BadPatternError extends Error {}

type CharacterTest = (character: string) => boolean;

/**
 * Whether `name` matches a shell pattern, as Go's `filepath.Match` answers: `*`, `?`, `[…]` and `\` within one path component.
 *
 * @throws BadPatternError for malformed syntax. As in Go, what stands behind a `*` is only checked once the part before
 * it has matched: `[` is malformed always, `a*[` only for names that begin with `a`.
 */
export function matchFilepath(pattern: string, name: string): boolean {
  return matchFrom(Array.from(pattern), Array.from(name));
}

function matchFrom(pattern: readonly string[], name: readonly string[]): boolean {
  if (pattern.length === 0) return name.length === 0;
  const { star, chunk, rest } = nextChunk(pattern);
  if (star && chunk.length === 0) return !name.includes("/");
  const tests = parseChunk(chunk);
  const last = rest.length === 0;
  for (let start = 0; ; start++) {
    const end = matchAt(tests, name, start);
    if (end !== undefined && (!last || end === name.length)) return matchFrom(rest, name.slice(end));
    if (!star || start >= name.length || name[start] === "/") return false;
  }
}

/** Splits off what reaches up to the next `*` that is not part of a character class. */
function nextChunk(pattern: readonly string[]): { star: boolean; chunk: readonly string[]; rest: readonly string[] } {
  let start = 0;
  while (pattern[start] === "*") start++;
  let inClass = false;
  let end = start;
  for (; end < pattern.length; end++) {
    const character = pattern[end];
    if (character === "\\" && end + 1 < pattern.length) end++;
    else if (character === "[") inClass = true;
    else if (character === "]") inClass = false;
    else if (character === "*" && !inClass) break;
  }
  return { star: start > 0, chunk: pattern.slice(start, end), rest: pattern.slice(end) };
}

function matchAt(tests: readonly CharacterTest[], name: readonly string[], start: number): number | undefined {
  let position = start;
  for (const test of tests) {
    const character = name[position++];
    if (character === undefined || !test(character)) return undefined;
  }
  return position;
}

function parseChunk(chunk: readonly string[]): readonly CharacterTest[] {
  const tests: CharacterTest[] = [];
  for (let position = 0; position < chunk.length; position++) {
    const character = chunk[position] ?? "";
    if (character === "[") {
      const parsed = parseClass(chunk, position + 1);
      tests.push(parsed.test);
      position = parsed.end - 1;
    } else if (character === "?") {
      tests.push((candidate) => candidate !== "/");
    } else {
      const literal = character === "\\" ? chunk[++position] : character;
      if (literal === undefined) throw new BadPatternError("a backslash ends the pattern");
      tests.push((candidate) => candidate === literal);
    }
  }
  return tests;
}

/** Parses a character class from behind its `[`; `end` is the position behind its `]`. */
function parseClass(chunk: readonly string[], start: number): { test: CharacterTest; end: number } {
  const ranges: [low: number, high: number][] = [];
  let position = start;
  const negated = chunk[position] === "^";
  if (negated) position++;
  while (chunk[position] !== "]" || ranges.length === 0) {
    const low = classCharacter(chunk, position);
    let high = low;
    if (chunk[low.end] === "-") high = classCharacter(chunk, low.end + 1);
    ranges.push([low.codePoint, high.codePoint]);
    position = high.end;
  }
  const test = (candidate: string): boolean => {
    const codePoint = candidate.codePointAt(0) ?? 0;
    return ranges.some(([low, high]) => low <= codePoint && codePoint <= high) !== negated;
  };
  return { test, end: position + 1 };
}

function classCharacter(chunk: readonly string[], start: number): { codePoint: number; end: number } {
  let position = start;
  if (chunk[position] === "-" || chunk[position] === "]")
    throw new BadPatternError("misplaced - or ] in a character class");
  if (chunk[position] === "\\") position++;
  const codePoint = chunk[position]?.codePointAt(0);
  if (codePoint === undefined || position + 1 >= chunk.length)
    throw new BadPatternError("a character class is not closed");
  return { codePoint, end: position + 1 };
}
