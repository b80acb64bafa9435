/** An error that Go's decoder would have, without the text that it is about. */
export class GoJsonError extends Error {
  constructor(path: string, problem: string) {
    super(path === "" ? problem : `${path} ${problem}`);
    this.name = "GoJsonError";
  }
}

type JsonObject = Readonly<Record<string, unknown>>;

/** Reads a value as one of an object; `null` is none. */
export function asObject(value: unknown, path: string): JsonObject {
  if (value === null || value === undefined) return {};
  if (typeof value === "object" && !Array.isArray(value)) return value as JsonObject;
  throw new GoJsonError(path, "is no object");
}

/** Reads a value as text; `null` is the empty one. */
export function asText(value: unknown, path: string): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  throw new GoJsonError(path, "is no text");
}

/** The values of the fields that a Go struct has. Go compares names without regard to case, and the last spelling wins. */
export function readFields<Name extends string>(
  object: JsonObject,
  names: readonly Name[],
): Readonly<Partial<Record<Name, readonly unknown[]>>> {
  const byName = new Map<string, Name>(names.map((name) => [name.toLowerCase(), name]));
  const fields: Partial<Record<Name, unknown[]>> = {};
  for (const [key, value] of Object.entries(object)) {
    const name = byName.get(foldCase(key));
    if (name !== undefined) (fields[name] ??= []).push(value);
  }
  return fields;
}

/**
 * The entries of a Go map that a field fills, whose name may come in several spellings; `null` empties it. `read` sees every entry, since Go fails
 * at those too that do not stay.
 */
export function readMap<Item>(
  values: readonly unknown[] = [],
  path: string,
  read: (key: string, value: unknown) => Item,
): ReadonlyMap<string, Item> {
  const map = new Map<string, Item>();
  for (const value of values) {
    if (value === null) map.clear();
    for (const [key, item] of Object.entries(asObject(value, path))) map.set(key, read(key, item));
  }
  return map;
}

/** The last of several spellings that is not null: `null` leaves what was there. */
export function lastText(values: readonly unknown[] = [], path: string): string {
  return values
    .map((value) => ({ text: asText(value, path), given: value !== null }))
    .reduce((text, next) => (next.given ? next.text : text), "");
}

/** As Go folds it: the long s and the Kelvin sign are letters too. */
function foldCase(key: string): string {
  return key.toLowerCase().replaceAll("\u017f", "s").replaceAll("\u212a", "k");
}

/** The first JSON value of a text, which is all that a Go `Decoder` reads, and what comes behind it. */
export function parseFirstJson(text: string): { readonly value: unknown; readonly rest: string } {
  const end = endOfFirstValue(text);
  return { value: parseJson(text.slice(0, end)), rest: text.slice(end) };
}

/** Parses JSON; the error says nothing of the text. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new GoJsonError("", "is not JSON");
  }
}

function endOfFirstValue(text: string): number {
  const start = /^[ \t\r\n]*/.exec(text)?.[0].length ?? 0;
  const first = text.charAt(start);
  if (first !== "{" && first !== "[") {
    const scalar = /"(?:[^"\\]|\\.)*"|[^\s,\]}[{"]+/sy;
    scalar.lastIndex = start;
    return start + (scalar.exec(text)?.[0].length ?? text.length);
  }
  let depth = 0;
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]]/gs;
  token.lastIndex = start;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    if (match[0] === "{" || match[0] === "[") depth += 1;
    if ((match[0] === "}" || match[0] === "]") && --depth === 0) return token.lastIndex;
  }
  return text.length;
}
