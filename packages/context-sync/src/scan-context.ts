import type { BigIntStats } from "node:fs";
import { lstatSync } from "node:fs";

import { contextInvalid, systemErrorCode } from "./context-invalid.ts";
import { resolveRoot } from "./context-root.ts";
import { isUndecodable, readSortedNames } from "./directory-names.ts";
import type { FirstNames, ScanEntry } from "./scan-entry.ts";
import { fileType, scanEntry } from "./scan-entry.ts";
import type { DirectoryState, ScanFilter, ScanOptions } from "./scan-filter.ts";
import { createScanFilter } from "./scan-filter.ts";

/**
 * Lists a build context in the order in which BuildKit wants it: a directory before its content, siblings by the bytes of their
 * names. Directories that only lead to something included come just before it. Of several hard links the first one listed has the content.
 * Sockets, and files that vanish meanwhile, are left out; links are not followed. Owners are not reported: a context has none.
 *
 * Synchronous because it is four times faster so: hand the entries on in batches, and let the event loop run between them.
 *
 * @param root - Directory of the context; may be a symbolic link.
 * @throws `CONTEXT_INVALID` if the root is no directory, a directory cannot be read, a name is not UTF-8, or a pattern is malformed.
 */
export function* scanContext(root: string, options: ScanOptions = {}): Generator<ScanEntry, void, undefined> {
  const resolved = resolveRoot(root);
  const filter = createScanFilter(resolved, options);
  const firstNames: FirstNames = new Map();
  const open: OpenDirectory[] = [openDirectory(resolved, "")];
  for (let directory = open.at(-1); directory !== undefined; directory = open.at(-1)) {
    const name = directory.names[directory.next++];
    if (name === undefined) {
      open.pop();
      continue;
    }
    const found = visit(directory, name, filter, firstNames);
    if (found === undefined) continue;
    if (found.verdict === "keep") {
      if (open.some(isPending)) yield* pendingParents(open);
      yield found.entry;
    }
    if ((found.entry.mode & fileType.mask) !== fileType.directory) continue;
    const below = descend(directory, found, filter);
    if (below !== undefined) open.push(below);
  }
}

/** A directory whose names were read. */
export interface OpenDirectory {
  readonly absolutePath: string;
  /** Empty for the root, else ends in `/`. */
  readonly prefix: string;
  readonly names: readonly string[];
  readonly state: DirectoryState;
  next: number;
  /** The directory's own entry, until it is listed. */
  pending: ScanEntry | undefined;
}

/** What is listed, or leads to something that is. */
export interface Found {
  readonly entry: ScanEntry;
  readonly absolutePath: string;
  readonly verdict: "keep" | "descend";
}

/** Reads the names in a directory. `prefix` is its path with a slash, `state` what the filter knows of it. */
export function openDirectory(
  absolutePath: string,
  prefix: string,
  state: DirectoryState = { include: undefined, exclude: undefined },
  pending?: ScanEntry,
): OpenDirectory {
  return { absolutePath, prefix, names: readSortedNames(absolutePath), state, next: 0, pending };
}

function isPending(directory: OpenDirectory): boolean {
  return directory.pending !== undefined;
}

function* pendingParents(open: readonly OpenDirectory[]): Generator<ScanEntry, void, undefined> {
  for (const directory of open) {
    if (directory.pending === undefined) continue;
    yield directory.pending;
    directory.pending = undefined;
  }
}

/** Looks at one name; undefined if it is no part of the context. */
export function visit(
  directory: OpenDirectory,
  name: string,
  filter: ScanFilter,
  firstNames: FirstNames,
): Found | undefined {
  const path = directory.prefix + name;
  const verdict = filter.judge(path, directory.state);
  if (verdict === "skip") return undefined;
  const absolutePath = `${directory.absolutePath}/${name}`;
  try {
    const stats = lstatSync(absolutePath, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) {
      if (verdict === "keep") refuseUndecodable(directory, name, path);
      return undefined;
    }
    if (!isListed(stats, verdict)) return undefined;
    return { entry: scanEntry(path, absolutePath, stats, firstNames), absolutePath, verdict };
  } catch (error) {
    refuseUnlessIgnorable(path, verdict, error);
    return undefined;
  }
}

function isListed(stats: BigIntStats, verdict: "keep" | "descend"): boolean {
  return verdict === "keep" ? !stats.isSocket() : stats.isDirectory();
}

/** Opens a directory that was found; undefined if it has vanished, or cannot be read and need not be. */
export function descend(
  parent: OpenDirectory,
  { entry, absolutePath, verdict }: Found,
  filter: ScanFilter,
): OpenDirectory | undefined {
  const state = filter.enter(entry.path, parent.state);
  try {
    return openDirectory(absolutePath, `${entry.path}/`, state, verdict === "keep" ? undefined : entry);
  } catch (error) {
    refuseUnlessIgnorable(entry.path, verdict, error);
    return undefined;
  }
}

/** What vanished is no part of the context, and what is not wanted need not be readable. */
function refuseUnlessIgnorable(path: string, verdict: "keep" | "descend", error: unknown): void {
  const code = systemErrorCode(error);
  if (code === undefined) throw error;
  if (code === "ENOENT" || code === "ENOTDIR") return;
  if (verdict === "descend" && (code === "EACCES" || code === "EPERM")) return;
  throw contextInvalid(
    path,
    `Cannot read ${path} of the build context (${code}). Make it readable, or name it in .dockerignore.`,
    error,
  );
}

/** Node shows bytes that are not UTF-8 as U+FFFD, and then does not find the file: it would be left out in silence. */
function refuseUndecodable(directory: OpenDirectory, name: string, path: string): void {
  if (!name.includes("\ufffd") || !isUndecodable(directory.absolutePath, name)) return;
  throw contextInvalid(
    path,
    `The name of ${path} is not UTF-8, which BuildKit cannot take. Rename the file, or name it in .dockerignore.`,
  );
}
