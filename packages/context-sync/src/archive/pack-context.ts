import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";

import { BuilderError } from "@slipway/core";

import { resolveRoot } from "../context-root.ts";
import { scanContext } from "../scan-context.ts";
import { fileType, type ScanEntry } from "../scan-entry.ts";
import type { ScanOptions } from "../scan-filter.ts";
import { readLargeFile, readSmallFile, smallFileBytes } from "./content-file.ts";
import { compressed } from "./compressed.ts";
import { blockBytes, paddedBytes, tarHeader } from "./tar-header.ts";

/** A file that is no part of the folder. */
export interface PrependedFile {
  /** In the archive; takes the place of what the context has there. */
  readonly path: string;
  readonly content: string | Uint8Array;
  /** Permission bits. @defaultValue `0o644` */
  readonly mode?: number | undefined;
}

/** How to pack a context. */
export interface PackOptions extends ScanOptions {
  /** @defaultValue `"none"` */
  readonly compression?: "none" | "gzip" | "zstd" | undefined;
  /** Of 1 (fast) to 9 for gzip, to 19 for zstd. @defaultValue 1, and 3 for zstd */
  readonly compressionLevel?: number | undefined;
  /** Files that come first, such as a Dockerfile from elsewhere. @defaultValue none */
  readonly prepend?: readonly PrependedFile[] | undefined;
  /** Hash what is yielded, which takes longer than reading it. @defaultValue true */
  readonly checksum?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What an archive holds. */
export interface ArchiveSummary {
  /** Entries of any kind. */
  readonly files: number;
  /** Of the files' contents. */
  readonly totalBytes: number;
  /** Of the archive as it was yielded. */
  readonly sentBytes: number;
  /** Of the bytes yielded, hexadecimal; empty without `checksum`. */
  readonly sha256: string;
}

/** A tar archive that is made while it is read, once. Leaving the loop early stops it. */
export interface ContextArchive extends AsyncIterable<Buffer> {
  /** Once all of it has been yielded; rejects if that fails or the loop is left. */
  readonly summary: Promise<ArchiveSummary>;
}

/** Memory of this size is soon used again; of more, each page of it is new. */
const batchBytes = 256 * 1024;
const largeChunkBytes = 1024 * 1024;
/** Two blocks end an archive. The others let a decompressor hand these over before it has seen the end of its input. */
const endBytes = 4 * blockBytes;

/**
 * Packs a build context as a tar stream, in the order of {@link scanContext}. Names that ustar cannot hold, long or not ASCII, come in pax
 * records; hard links, symbolic links, FIFOs and devices stay what they are; owners are root, and times whole seconds, as Docker packs
 * contexts. The same files make the same bytes. Holes of sparse files are packed as zeros. No more is read than is taken.
 *
 * @param root - Directory of the context; may be a symbolic link.
 * @throws `CONTEXT_INVALID` with the path of a file that cannot be read, or that grows, shrinks, changes or vanishes meanwhile; what
 * {@link scanContext} throws; `ABORTED`
 */
export function packContext(root: string, options: PackOptions = {}): ContextArchive {
  const { promise: summary, resolve, reject } = Promise.withResolvers<ArchiveSummary>();
  // The loop tells of failures as well.
  summary.catch(() => undefined);
  const counts = { files: 0, totalBytes: 0 };
  let started = false;
  const { compression = "none", compressionLevel, checksum = true, signal } = options;

  async function* chunks(): AsyncGenerator<Buffer, void, undefined> {
    if (started) throw readTwice();
    started = true;
    const hash = checksum ? createHash("sha256") : undefined;
    let sentBytes = 0;
    let failure: unknown = abandoned();
    try {
      const plain = tarChunks(resolveRoot(root), options, counts);
      const archive = compression === "none" ? plain : compressed(plain, compression, compressionLevel);
      for await (const chunk of archive) {
        if (signal?.aborted) throw BuilderError.from(signal.reason);
        hash?.update(chunk);
        sentBytes += chunk.length;
        yield chunk;
      }
      failure = undefined;
      resolve({ ...counts, sentBytes, sha256: hash?.digest("hex") ?? "" });
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      if (failure !== undefined) reject(failure);
    }
  }
  return { summary, [Symbol.asyncIterator]: chunks };
}

function readTwice(): BuilderError {
  const thrown = "an archive of packContext can be read once";
  return new BuilderError({ code: "INTERNAL", message: `${thrown}: pack the context again.`, details: { thrown } });
}

function abandoned(): BuilderError {
  const reason = "the archive was not read to its end";
  return new BuilderError({ code: "ABORTED", message: `Aborted: ${reason}.`, details: { reason } });
}

interface Counts {
  files: number;
  totalBytes: number;
}

/** Small files are gathered to one chunk, large ones come as several; a chunk is never used again. */
async function* tarChunks(
  root: string,
  { include, exclude = [], followPaths, prepend = [] }: PackOptions,
  counts: Counts,
): AsyncGenerator<Buffer, void, undefined> {
  let batch = Buffer.allocUnsafeSlow(batchBytes);
  let used = 0;
  const takeBatch = (nextBytes: number): Buffer => {
    const full = batch.subarray(0, used);
    batch = Buffer.allocUnsafeSlow(Math.max(batchBytes, nextBytes));
    used = 0;
    return full;
  };
  for (const file of prepend) {
    const chunk = prependedFile(file);
    counts.files += 1;
    counts.totalBytes += chunk.contentBytes;
    yield chunk.bytes;
  }
  const exceptPrepended = [...exclude, ...prepend.map(({ path }) => escapePattern(path))];
  for (const entry of scanContext(root, { include, exclude: exceptPrepended, followPaths })) {
    const header = tarHeader(entry);
    const contentBytes = hasContent(entry) ? entry.size : 0;
    const isSmall = contentBytes <= smallFileBytes;
    // One more byte than its size is read of a file.
    const neededBytes = header.sizeBytes + (isSmall ? paddedBytes(contentBytes) : 0) + 1;
    counts.files += 1;
    counts.totalBytes += contentBytes;
    if (used + neededBytes > batch.length) {
      if (used > 0) yield takeBatch(neededBytes);
      // Reading is synchronous: others get their turn.
      await setImmediate();
    }
    header.write(batch, used);
    used += header.sizeBytes;
    if (!hasContent(entry)) continue;
    if (isSmall) {
      readSmallFile(root, entry, batch, used);
      used += contentBytes;
    } else {
      yield takeBatch(batchBytes);
      yield* readLargeFile(root, entry, largeChunkBytes);
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

function prependedFile({ path, content, mode = 0o644 }: PrependedFile): {
  readonly bytes: Buffer;
  readonly contentBytes: number;
} {
  const bytes = Buffer.from(content);
  const size = bytes.length;
  const header = tarHeader({ path, mode: fileType.regular | mode, size, mtimeNs: 0n, devMajor: 0, devMinor: 0 });
  const target = Buffer.alloc(header.sizeBytes + paddedBytes(size));
  header.write(target, 0);
  bytes.copy(target, header.sizeBytes);
  return { bytes: target, contentBytes: size };
}

/** A pattern that matches one path alone. */
function escapePattern(path: string): string {
  return path.replace(/[*?[\]\\^$+(){}|]|^!/g, String.raw`\$&`);
}
