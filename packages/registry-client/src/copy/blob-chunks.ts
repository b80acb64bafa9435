import type { Hash } from "node:crypto";
import { createHash } from "node:crypto";

import { BuilderError } from "@slipway/core/errors";

import type { BlobReader } from "../blob-reader.ts";
import { blobMismatch } from "../blob-reader.ts";
import type { RegistryClient } from "../registry-client.ts";
import type { ContentDescriptor } from "./image-content.ts";
import { createRetries } from "./retries.ts";

const bulkBytes = 1024 * 1024;

/** Where blobs are read. */
export interface BlobSource {
  readonly client: RegistryClient;
  readonly repository: string;
  readonly signal: AbortSignal;
}

/** A place in a blob from which it can be read on. */
export interface BlobMark {
  readonly offset: number;
  /** Of all that comes before; whoever goes on takes a copy of it. */
  readonly hash: Hash;
}

/** A part of a blob. */
export interface BlobChunk {
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** The last one comes after the digest of all was found right. */
  readonly last: boolean;
  /** The digest of the first bytes of the blob, if these end in this chunk; where they end before its end, only until `release`. */
  readonly digestOf: (sizeBytes: number) => string | undefined;
  readonly end: BlobMark;
  /** Gives the memory back. */
  release(): void;
}

/** Memory for chunks, which are as large as these buffers. */
export interface ChunkBuffers {
  readonly chunkBytes: number;
  take(sizeBytes: number): Uint8Array;
  give(buffer: Uint8Array): void;
}

/** Buffers that are used again: new ones for each chunk would outrun the garbage collector. */
export function createChunkBuffers(chunkBytes: number): ChunkBuffers {
  const free: Uint8Array[] = [];
  return {
    chunkBytes,
    take: (sizeBytes) =>
      sizeBytes < chunkBytes ? Buffer.allocUnsafeSlow(sizeBytes) : (free.pop() ?? Buffer.allocUnsafeSlow(chunkBytes)),
    give: (buffer) => {
      if (buffer.byteLength === chunkBytes) free.push(buffer);
    },
  };
}

/** Where a blob starts. */
export function startOf({ digest }: ContentDescriptor): BlobMark {
  return { offset: 0, hash: createHash(algorithmOf(digest)) };
}

/** Where reading begins. */
interface ReadStart {
  /** @defaultValue the start of the blob */
  readonly from?: BlobMark | undefined;
  /** Offset up to which nobody wants the bytes, which are read for the digest: a chunk begins there. @defaultValue where reading begins */
  readonly wanted?: number;
}

/**
 * Reads a blob in chunks as large as the buffers, once: when the connection ends, reading goes on where it stopped.
 *
 * @throws `DIGEST_MISMATCH`, and what reading throws when it does not get any further
 */
export async function* readBlobChunks(
  source: BlobSource,
  blob: ContentDescriptor,
  buffers: ChunkBuffers,
  { from = startOf(blob), wanted = from.offset }: ReadStart = {},
): AsyncGenerator<BlobChunk, void, undefined> {
  const hash = from.hash.copy();
  const retries = createRetries(source.signal);
  const take = (offset: number): Uint8Array => buffers.take((offset < wanted ? wanted : blob.sizeBytes) - offset);
  let buffer = take(from.offset);
  let start = from.offset;
  let position = from.offset;
  let before = from.hash;
  /** The next buffer, when something has been read into it already. */
  let following: Uint8Array | undefined;
  const memory = (unreadBytes: number): Uint8Array | undefined => {
    // A registry may send more than the blob has.
    if (position === blob.sizeBytes) return undefined;
    const usedBytes = position - start + unreadBytes;
    if (usedBytes < buffer.byteLength) return buffer.subarray(usedBytes);
    const endsAt = start + buffer.byteLength;
    if (endsAt >= blob.sizeBytes) return undefined;
    following ??= take(endsAt);
    return following.subarray(usedBytes - buffer.byteLength);
  };
  const complete = (): BlobChunk => {
    const full = buffer;
    const bytes = full.subarray(0, position - start);
    const last = position === blob.sizeBytes;
    const end = { offset: position, hash: hash.copy() };
    const digestOf = partialDigests(blob, { offset: start, bytes, before, after: end.hash });
    const chunk = { offset: start, bytes, last, digestOf, end, release: () => buffers.give(full) };
    before = end.hash;
    if (chunk.last) checkDigest(source, blob, hash.digest("hex"));
    start = position;
    return chunk;
  };
  while (position < blob.sizeBytes) {
    try {
      const reader = await openBlob(source, blob, position, memory);
      for await (const piece of reader.chunks) {
        let taken = 0;
        while (taken < piece.byteLength) {
          const part = piece.subarray(taken, taken + start + buffer.byteLength - position);
          hash.update(part);
          if (!liesAt(buffer, position - start, part)) buffer.set(part, position - start);
          position += part.byteLength;
          taken += part.byteLength;
          if (position < blob.sizeBytes && position - start < buffer.byteLength) continue;
          const chunk = complete();
          // Before the chunk is given away: what is read meanwhile must not go into its memory.
          if (position < blob.sizeBytes) buffer = following ?? take(position);
          following = undefined;
          yield chunk;
          if (position === blob.sizeBytes) break;
        }
        retries.reset();
      }
    } catch (error) {
      await retries.after(error);
    }
  }
  if (from.offset === blob.sizeBytes) yield complete();
}

interface HashedChunk extends Pick<BlobChunk, "offset" | "bytes"> {
  /** Of all that comes before the chunk. */
  readonly before: Hash;
  readonly after: Hash;
}

function partialDigests(
  { digest }: ContentDescriptor,
  { offset, bytes, before, after }: HashedChunk,
): BlobChunk["digestOf"] {
  return (sizeBytes) => {
    const wantedBytes = sizeBytes - offset;
    if (wantedBytes < 0 || wantedBytes > bytes.byteLength) return undefined;
    const isWhole = wantedBytes === bytes.byteLength;
    const hash = isWhole ? after.copy() : before.copy().update(bytes.subarray(0, wantedBytes));
    return `${algorithmOf(digest)}:${hash.digest("hex")}`;
  };
}

/** Whether a part has been read to where it belongs. */
function liesAt(buffer: Uint8Array, offset: number, part: Uint8Array): boolean {
  return part.buffer === buffer.buffer && part.byteOffset === buffer.byteOffset + offset;
}

async function openBlob(
  source: BlobSource,
  blob: ContentDescriptor,
  offset: number,
  memory: (unreadBytes: number) => Uint8Array | undefined,
): Promise<BlobReader> {
  const { client, repository, signal } = source;
  const reader = await client.getBlob(repository, blob.digest, {
    offset,
    verify: false,
    // A connection of its own pays for itself only then.
    ...(blob.sizeBytes - offset >= bulkBytes ? { memory } : {}),
    signal,
  });
  if (reader === undefined) throw missingBlob(source, blob);
  if (reader.sizeBytes === blob.sizeBytes) return reader;
  await reader.chunks[Symbol.asyncIterator]().return?.();
  throw wrongSize(source, blob, reader.sizeBytes);
}

function checkDigest(source: BlobSource, blob: ContentDescriptor, hex: string): void {
  const actual = `${algorithmOf(blob.digest)}:${hex}`;
  if (actual !== blob.digest) throw blobMismatch(nameOf(source, blob), blob.digest, actual);
}

function algorithmOf(digest: string): string {
  return digest.slice(0, digest.indexOf(":"));
}

function nameOf({ client, repository }: BlobSource, { digest }: ContentDescriptor): string {
  return `${client.registry}/${repository}@${digest}`;
}

function missingBlob(source: BlobSource, blob: ContentDescriptor): BuilderError {
  return damaged(
    source,
    `${nameOf(source, blob)} is part of the image, and ${source.client.registry} does not have it.`,
  );
}

function wrongSize(source: BlobSource, blob: ContentDescriptor, sizeBytes: number): BuilderError {
  const sizes = `${sizeBytes} bytes instead of the ${blob.sizeBytes} that the manifest names`;
  return damaged(source, `${source.client.registry} serves ${nameOf(source, blob)} with ${sizes}.`);
}

function damaged({ client }: BlobSource, problem: string): BuilderError {
  return new BuilderError({
    code: "REGISTRY_REFUSED",
    message: `${problem} Push the image again.`,
    details: { registry: client.registry, diagnostics: [problem], triedCredentials: [] },
  });
}
