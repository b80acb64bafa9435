import type { ByteText } from "./byte-text.ts";
import { characterAt } from "./byte-text.ts";

/** Whether a name matches a pattern of Go's `filepath.Match`: `*`, `?`, `[a-z]`, `[^a]`, `\` escapes. A bad pattern matches nothing. */
export function matchPattern(pattern: ByteText, name: ByteText): boolean {
  const chunks = splitChunks(pattern);
  let rest = name;
  for (const [index, { star, text }] of chunks.entries()) {
    if (star && text === "") return !rest.includes("/");
    const last = index === chunks.length - 1;
    const end = findChunk(text, rest, star, last);
    if (end === undefined) return false;
    rest = rest.slice(end);
  }
  return rest === "";
}

interface Chunk {
  /** Whether a `*` stands before it. */
  readonly star: boolean;
  readonly text: ByteText;
}

function splitChunks(pattern: ByteText): Chunk[] {
  const chunks: Chunk[] = [];
  let rest = pattern;
  while (rest !== "") {
    const stars = /^\*+/.exec(rest)?.[0].length ?? 0;
    const end = chunkEnd(rest, stars);
    chunks.push({ star: stars > 0, text: rest.slice(stars, end) });
    rest = rest.slice(end);
  }
  return chunks;
}

function chunkEnd(pattern: ByteText, start: number): number {
  let inClass = false;
  for (let index = start; index < pattern.length; index += 1) {
    const byte = pattern[index];
    if (byte === "\\" && index + 1 < pattern.length) index += 1;
    else if (byte === "[") inClass = true;
    else if (byte === "]") inClass = false;
    else if (byte === "*" && !inClass) return index;
  }
  return pattern.length;
}

/** Where a chunk ends in a text; `undefined` if it is not there. The last one must reach the end. */
function findChunk(chunk: ByteText, text: ByteText, star: boolean, last: boolean): number | undefined {
  for (let start = 0; start <= text.length; start += 1) {
    const length = matchChunk(chunk, text.slice(start));
    if (length === "bad") return undefined;
    if (length !== undefined && (!last || start + length === text.length)) return start + length;
    // A star does not skip a slash.
    if (!star || text[start] === "/") return undefined;
  }
  return undefined;
}

/** How many bytes at the beginning of a text a chunk takes. */
function matchChunk(chunk: ByteText, text: ByteText): number | "bad" | undefined {
  let used = 0;
  let failed = false;
  for (let index = 0; index < chunk.length;) {
    failed ||= used >= text.length;
    const byte = chunk[index];
    if (byte === "[") {
      const found = failed ? { codePoint: 0, length: 0 } : characterAt(text, used);
      used += found.length;
      const range = readClass(chunk, index + 1, found.codePoint);
      if (range === undefined) return "bad";
      failed ||= !range.matches;
      index = range.end;
    } else if (byte === "?") {
      if (!failed) {
        failed = text[used] === "/";
        used += characterAt(text, used).length;
      }
      index += 1;
    } else {
      if (byte === "\\") index += 1;
      if (index >= chunk.length) return "bad";
      failed ||= chunk[index] !== text[used];
      used += 1;
      index += 1;
    }
  }
  return failed ? undefined : used;
}

interface ClassAnswer {
  readonly matches: boolean;
  /** Behind the closing bracket. */
  readonly end: number;
}

function readClass(chunk: ByteText, start: number, codePoint: number): ClassAnswer | undefined {
  const negated = chunk[start] === "^";
  let index = negated ? start + 1 : start;
  let within = false;
  for (let ranges = 0; ranges === 0 || chunk[index] !== "]"; ranges += 1) {
    const low = readMember(chunk, index);
    if (low === undefined) return undefined;
    const high = chunk[low.end] === "-" ? readMember(chunk, low.end + 1) : low;
    if (high === undefined) return undefined;
    within ||= low.codePoint <= codePoint && codePoint <= high.codePoint;
    index = high.end;
  }
  return { matches: within !== negated, end: index + 1 };
}

/** A character of a class; there must be something behind it, at least the closing bracket. */
function readMember(chunk: ByteText, start: number): { codePoint: number; end: number } | undefined {
  if (start >= chunk.length || chunk[start] === "-" || chunk[start] === "]") return undefined;
  const index = chunk[start] === "\\" ? start + 1 : start;
  if (index >= chunk.length) return undefined;
  const { codePoint, length } = characterAt(chunk, index);
  const invalid = codePoint === 0xfffd && length === 1;
  return invalid || index + length >= chunk.length ? undefined : { codePoint, end: index + length };
}
