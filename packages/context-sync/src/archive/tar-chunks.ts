import { setImmediate } from "node:timers/promises";

import { fileType, type ScanEntry } from "../scan-entry.ts";
import { readLargeFile, readSmallFile, smallFileBytes } from "./content-file.ts";
import { blockBytes, paddedBytes, tarHeader, type TarFormat } from "./tar-header.ts";

/** A file that is no part of the folder. */
export interface PrependedFile {
  /** In the archive; takes the place of what the context has there. */
  readonly path: string;
  readonly content: string | Uint8Array;
  /** Permission bits. @defaultValue `0o644` */
  readonly mode?: number | undefined;
}

/** An entry of an archive. */
export interface ArchiveEntry extends ScanEntry {
  /** Instead of what the file system has there. */
  readonly content?: Buffer;
  /** Path in the folder, when it differs from that in the archive. */
  readonly source?: string;
}

/** What was packed so far. */
export interface PackedCounts {
  files: number;
  totalBytes: number;
}

/** Memory of this size is soon used again; of more, each page of it is new. */
const batchBytes = 256 * 1024;
const largeChunkBytes = 1024 * 1024;
/** Two blocks end an archive. The others let a decompressor hand these over before it has seen the end of its input. */
const endBytes = 4 * blockBytes;

/** The entry of a file that is no part of the folder. */
export function prependedEntry({ path, content, mode = 0o644 }: PrependedFile): ArchiveEntry {
  const bytes = Buffer.from(content);
  const size = bytes.length;
  return { path, mode: fileType.regular | mode, size, mtimeNs: 0n, devMajor: 0, devMinor: 0, content: bytes };
}

/** Packs entries. Small files are gathered to one chunk, large ones come as several; a chunk is never used again. */
export async function* tarChunks(
  root: string,
  entries: Iterable<ArchiveEntry>,
  counts: PackedCounts,
  format: TarFormat = "pax",
): AsyncGenerator<Buffer, void, undefined> {
  let batch = Buffer.allocUnsafeSlow(batchBytes);
  let used = 0;
  const takeBatch = (nextBytes: number): Buffer => {
    const full = batch.subarray(0, used);
    batch = Buffer.allocUnsafeSlow(Math.max(batchBytes, nextBytes));
    used = 0;
    return full;
  };
  for (const entry of entries) {
    const header = tarHeader(entry, format);
    const file = entry.source === undefined ? entry : { ...entry, path: entry.source };
    const contentBytes = hasContent(entry) ? entry.size : 0;
    const isLarge = contentBytes > smallFileBytes && entry.content === undefined;
    // One more byte than its size is read of a file.
    const neededBytes = header.sizeBytes + (isLarge ? 0 : paddedBytes(contentBytes)) + 1;
    counts.files += 1;
    counts.totalBytes += contentBytes;
    if (used + neededBytes > batch.length) {
      if (used > 0) yield takeBatch(neededBytes);
      else takeBatch(neededBytes);
      // Reading is synchronous: others get their turn.
      await setImmediate();
    }
    header.write(batch, used);
    used += header.sizeBytes;
    if (!hasContent(entry)) continue;
    if (isLarge) {
      yield takeBatch(batchBytes);
      yield* readLargeFile(root, file, largeChunkBytes);
    } else {
      if (entry.content === undefined) readSmallFile(root, file, batch, used);
      else entry.content.copy(batch, used);
      used += contentBytes;
    }
    const paddingBytes = paddedBytes(contentBytes) - contentBytes;
    batch.fill(0, used, used + paddingBytes);
    used += paddingBytes;
  }
  if (used + endBytes > batch.length) yield takeBatch(endBytes);
  batch.fill(0, used, used + endBytes);
  used += endBytes;
  yield takeBatch(0);
}

function hasContent({ mode, hardlink = false }: ScanEntry): boolean {
  return (mode & fileType.mask) === fileType.regular && !hardlink;
}
