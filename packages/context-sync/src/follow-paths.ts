import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { posix } from "node:path";

import { contextInvalid, systemErrorCode } from "./context-invalid.ts";
import { BadPatternError, matchFilepath } from "./filepath-match.ts";
import { cleanPath } from "./go-path.ts";
import { resolveRoot } from "./context-root.ts";

/**
 * The include patterns for the paths that BuildKit asks to follow: each path and every symbolic link on the way to it, as fsutil's
 * `FollowLinks` finds them. Links stay inside of the context: an absolute target counts from its root. Components may contain `*`, `?` and `[…]`;
 * they stay as they are, and the links that they match are followed. Paths that do not exist are no error.
 *
 * @param root - Directory of the context.
 * @returns Sorted paths, none below another one; empty when one of `paths` is the root, which means that nothing is filtered.
 * @throws `CONTEXT_INVALID` if the root is no directory, or something on the way cannot be read.
 */
export function resolveFollowPaths(root: string, paths: readonly string[]): string[] {
  return followedPaths(resolveRoot(root), paths) ?? [];
}

/** As {@link resolveFollowPaths}; `undefined` when the root itself is asked for. `root` has been resolved. */
export function followedPaths(root: string, paths: readonly string[]): string[] | undefined {
  const resolved = new Set<string>();
  for (const path of paths) follow(root, path, resolved);
  return withoutDescendants([...resolved].sort(compareBytes));
}

/** Drops what follows its parent in a sorted list; `undefined` when `.` makes the list pointless. */
export function withoutDescendants(paths: readonly string[]): string[] | undefined {
  const kept: string[] = [];
  for (const path of paths) {
    if (path === ".") return undefined;
    if (!path.startsWith(`${kept.at(-1) ?? ""}/`)) kept.push(path);
  }
  return kept;
}

function compareBytes(first: string, second: string): number {
  return Buffer.compare(Buffer.from(first), Buffer.from(second));
}

function follow(root: string, path: string, resolved: Set<string>): void {
  const components = cleanPath(`./${path}`).split("/");
  for (let length = 1; length <= components.length; length++) {
    const current = components.slice(0, length).join("/");
    const targets = linkTargets(root, current);
    const complete = length === components.length;
    if (!complete && targets.length === 0) continue;
    // Seen before, which also ends a cycle of links.
    if (resolved.has(current)) return;
    resolved.add(current);
    for (const target of targets) follow(root, posix.join(target, ...components.slice(length)), resolved);
    if (targets.length > 0) return;
  }
}

/** Where the links lead that a path, with wildcards in its last component, names; counted from the context's root. */
function linkTargets(root: string, path: string): string[] {
  const directory = posix.dirname(path);
  const name = posix.basename(path);
  if (path === "." || path === ".." || path.startsWith("../")) return [];
  if (!hasWildcards(name)) return linkTarget(root, path);
  return namesIn(root, directory)
    .filter((candidate) => matches(name, candidate))
    .flatMap((candidate) => linkTarget(root, posix.join(directory, candidate)));
}

function linkTarget(root: string, path: string): string[] {
  const absolute = posix.join(root, path);
  try {
    if (lstatSync(absolute, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return [];
    return [posix.resolve("/", posix.dirname(path), readlinkSync(absolute))];
  } catch (error) {
    return unlessMissing(path, error);
  }
}

function namesIn(root: string, directory: string): string[] {
  try {
    return readdirSync(posix.join(root, directory)).sort();
  } catch (error) {
    return unlessMissing(directory, error);
  }
}

function unlessMissing(path: string, error: unknown): string[] {
  const code = systemErrorCode(error);
  if (code === "ENOENT" || code === "ENOTDIR") return [];
  throw contextInvalid(
    path,
    `Cannot read ${path} of the build context (${code ?? "unknown error"}). Make it readable or ignore it.`,
    error,
  );
}

function matches(pattern: string, name: string): boolean {
  try {
    return matchFilepath(pattern, name);
  } catch (error) {
    if (error instanceof BadPatternError) return false;
    throw error;
  }
}

function hasWildcards(name: string): boolean {
  return /[*?[]/.test(name.replace(/\\./gsu, ""));
}
