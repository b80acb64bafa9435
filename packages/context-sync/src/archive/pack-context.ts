import { createHash } from "node:crypto";

import { BuilderError } from "@slipway/core";

import { resolveRoot } from "../context-root.ts";
import { scanContext } from "../scan-context.ts";
import { fileType } from "../scan-entry.ts";
import type { ScanOptions } from "../scan-filter.ts";
import { compressed } from "./compressed.ts";
import { prependedEntry, tarChunks, type ArchiveEntry, type PrependedFile } from "./tar-chunks.ts";

/** How to pack a context. */
export interface PackOptions extends ScanOptions {
  /** @defaultValue `"none"` */
  readonly compression?: "none" | "gzip" | "zstd" | undefined;
  /** Of 1 (fast) to 9 for gzip, to 19 for zstd. @defaultValue 1, and 3 for zstd */
  readonly compressionLevel?: number | undefined;
  /** Permission bits of the folder itself, as the first entry `./`. @defaultValue the folder is no entry, and whoever unpacks decides */
  readonly rootMode?: number | undefined;
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
      const resolved = resolveRoot(root);
      const plain = tarChunks(resolved, packedEntries(resolved, options), counts);
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

function* packedEntries(root: string, options: PackOptions): Generator<ArchiveEntry, void, undefined> {
  const { include, exclude = [], followPaths, prepend = [], rootMode } = options;
  if (rootMode !== undefined)
    yield { path: ".", mode: fileType.directory | rootMode, size: 0, mtimeNs: 0n, devMajor: 0, devMinor: 0 };
  yield* prepend.map(prependedEntry);
  const exceptPrepended = [...exclude, ...prepend.map(({ path }) => escapePattern(path))];
  yield* scanContext(root, { include, exclude: exceptPrepended, followPaths });
}

/** A pattern that matches one path alone. */
export function escapePattern(path: string): string {
  return path.replace(/[*?[\]\\^$+(){}|]|^!/g, String.raw`\$&`);
}
