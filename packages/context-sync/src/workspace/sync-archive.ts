import { gzipSync } from "node:zlib";

import { prependedEntry, tarChunks, type ArchiveEntry, type PackedCounts } from "../archive/tar-chunks.ts";
import type { ManifestEntry } from "../manifest/context-manifest.ts";
import { fileType } from "../scan-entry.ts";
import { knownEntries, type KnownEntries, type SyncPlan } from "./sync-plan.ts";

/** An entry of a context, of which some files may be no part of the folder. */
export type SyncedEntry = ManifestEntry & ArchiveEntry;

/** The list of what a version holds, for the next sync. */
export function packEntries(entries: readonly ManifestEntry[]): Buffer {
  return gzipSync(JSON.stringify([...knownEntries(entries)]), { level: 1 });
}

/** Lines of `sha256sum -c` for files whose names have no special meaning in them. */
function sums(entries: readonly SyncedEntry[]): string {
  return entries
    .filter(({ sha256, path }) => sha256 !== undefined && !/[\\\n\r]/.test(path))
    .map(({ sha256 = "", path }) => `${sha256}  ./${path}\n`)
    .join("");
}

/** What a sync sends: `meta/` says what to do, and `tree/` has what is new. */
export function syncArchive(
  root: string,
  entries: readonly SyncedEntry[],
  { removed, sent }: SyncPlan<SyncedEntry>,
  counts: PackedCounts,
): AsyncIterable<Buffer> {
  const meta = {
    entries: packEntries(entries),
    removed: removed.map((path) => `./${path}\0`).join(""),
    sums: sums(sent),
  } satisfies Record<string, string | Buffer>;
  const folder = { mode: fileType.directory | 0o755, size: 0, mtimeNs: 0n, devMajor: 0, devMinor: 0 };
  const archived = function* (): Generator<ArchiveEntry, void, undefined> {
    yield { ...folder, path: "meta" };
    for (const [name, content] of Object.entries(meta)) yield prependedEntry({ path: `meta/${name}`, content });
    yield { ...folder, path: "tree" };
    for (const entry of sent) yield below("tree", entry);
  };
  // The names of busybox's tar: it knows nothing of pax.
  return tarChunks(root, archived(), counts, "gnu");
}

function below(folder: string, entry: SyncedEntry): ArchiveEntry {
  const { path, linkname, hardlink = false } = entry;
  const moved = { ...entry, path: `${folder}/${path}`, source: path };
  return hardlink && linkname !== undefined ? { ...moved, linkname: `${folder}/${linkname}` } : moved;
}

/** The counterpart of {@link packEntries}. */
export function unpackEntries(text: string): KnownEntries {
  return new Map(JSON.parse(text) as [string, string][]);
}
