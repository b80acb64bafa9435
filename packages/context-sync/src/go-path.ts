import { posix } from "node:path";

/** The shortest equivalent of a slash-separated path: what Go's `path.Clean` returns. `""` becomes `"."`. */
export function cleanPath(path: string): string {
  const normalized = posix.normalize(path);
  return normalized.length > 1 && normalized.endsWith("/") ? normalized.slice(0, -1) : normalized;
}

// `String.prototype.trim` also takes U+FEFF and leaves U+0085, so it would disagree with Go about a byte order mark.
const space = "[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
const surroundingSpace = new RegExp(`^${space}|${space}$`, "g");

/** Removes leading and trailing white space as Unicode defines it: what Go's `strings.TrimSpace` does. */
export function trimSpace(text: string): string {
  return text.replace(surroundingSpace, "");
}
