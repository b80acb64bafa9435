import { identityOf } from "../manifest/entry-identity.ts";
import type { ManifestEntry } from "../manifest/context-manifest.ts";
import { fileType } from "../scan-entry.ts";

/** What a folder holds: the identity of each entry by its path. */
export type KnownEntries = ReadonlyMap<string, string>;

/** How to make one context of another. */
export interface SyncPlan<Entry extends ManifestEntry = ManifestEntry> {
  /** Paths to delete first, without what goes with them. */
  readonly removed: readonly string[];
  /** Entries to unpack then, in the order of the scan; directories on the way to them are among them. */
  readonly sent: readonly Entry[];
}

/** The paths and identities of a context. */
export function knownEntries(entries: readonly ManifestEntry[]): Map<string, string> {
  return new Map(entries.map((entry) => [entry.path, identityOf(entry)]));
}

/** Finds what differs. Names of one inode go together: when one of them differs, all are sent. */
export function planSync<Entry extends ManifestEntry>(entries: readonly Entry[], base: KnownEntries): SyncPlan<Entry> {
  const changedGroups = new Set<string>();
  const changed = new Set<string>();
  for (const entry of entries) {
    if (base.get(entry.path) === identityOf(entry)) continue;
    changed.add(entry.path);
    changedGroups.add(groupOf(entry));
  }
  for (const entry of entries) if (changedGroups.has(groupOf(entry))) changed.add(entry.path);

  const wanted = new Map(entries.map((entry) => [entry.path, entry]));
  const removed: string[] = [];
  for (const [path, identity] of base) {
    const entry = wanted.get(path);
    const isGone = entry === undefined || (changed.has(path) && !(isDirectory(entry) && isDirectoryIdentity(identity)));
    if (isGone && !isBelow(path, removed.at(-1))) removed.push(path);
  }
  const sentPaths = new Set(changed);
  for (const path of changed) for (const folder of foldersAbove(path)) sentPaths.add(folder);
  return { removed, sent: entries.filter(({ path }) => sentPaths.has(path)) };
}

function groupOf({ path, hardlink = false, linkname }: ManifestEntry): string {
  return hardlink && linkname !== undefined ? linkname : path;
}

function isDirectory({ mode }: ManifestEntry): boolean {
  return (mode & fileType.mask) === fileType.directory;
}

function isDirectoryIdentity(identity: string): boolean {
  return (Number.parseInt(identity, 8) & fileType.mask) === fileType.directory;
}

function isBelow(path: string, folder: string | undefined): boolean {
  return folder !== undefined && path.startsWith(`${folder}/`);
}

function* foldersAbove(path: string): Generator<string, void, undefined> {
  for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1))
    yield path.slice(0, slash);
}
