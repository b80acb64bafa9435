import { closeSync, constants, openSync, readSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";

import { BuilderError } from "@slipway/core";

import { contextInvalid, systemErrorCode } from "../context-invalid.ts";
import type { ScanEntry } from "../scan-entry.ts";

/** Files up to this size are read synchronously: for small ones that is four times faster than through the thread pool. */
export const smallFileBytes = 256 * 1024;

/** Something else may stand in the file's place by now: no link is followed, and no writer of a FIFO waited for. Windows has neither. */
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The error for a file that is not as the scan saw it. */
export function changedWhileRead(path: string): BuilderError<"CONTEXT_INVALID"> {
  return contextInvalid(path, `${path} of the build context changed while it was read. Build again.`);
}

function unreadable(path: string, error: unknown): Error {
  if (BuilderError.isInstance(error)) return error;
  const code = systemErrorCode(error);
  if (code === undefined) return error instanceof Error ? error : new Error(String(error));
  if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP" || code === "EISDIR") return changedWhileRead(path);
  return contextInvalid(
    path,
    `Cannot read ${path} of the build context (${code}). Make it readable, or name it in .dockerignore.`,
    error,
  );
}

/**
 * Reads a file of at most {@link smallFileBytes} to a place in a buffer with one byte more of room than its size.
 *
 * @throws `CONTEXT_INVALID` if it cannot be read, or is no longer as long as the scan saw it
 */
export function readSmallFile(root: string, { path, size }: ScanEntry, target: Buffer, offset: number): void {
  try {
    const file = openSync(`${root}/${path}`, flags);
    try {
      let readBytes = 0;
      let length: number;
      do {
        // One byte more is asked for: a file that has grown shows it at once.
        length = readSync(file, target, offset + readBytes, size + 1 - readBytes, null);
        readBytes += length;
      } while (length > 0 && readBytes < size);
      if (readBytes !== size) throw changedWhileRead(path);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Part of a file, as far as it can be read. */
export function readPart(root: string, path: string, offset: number, sizeBytes: number): Buffer {
  const target = Buffer.allocUnsafe(sizeBytes);
  try {
    const file = openSync(`${root}/${path}`, flags);
    try {
      return target.subarray(0, readSync(file, target, 0, sizeBytes, offset));
    } finally {
      closeSync(file);
    }
  } catch {
    return target.subarray(0, 0);
  }
}

/**
 * Reads a file in chunks, each a buffer of its own.
 *
 * @throws `CONTEXT_INVALID` if it cannot be read, or changes meanwhile
 */
export async function* readLargeFile(
  root: string,
  entry: ScanEntry,
  chunkBytes: number,
): AsyncGenerator<Buffer, void, undefined> {
  const { path, size } = entry;
  let file: FileHandle | undefined;
  try {
    file = await open(`${root}/${path}`, flags);
    await checkUnchanged(file, entry);
    for (let position = 0; position < size;) {
      const chunk = Buffer.allocUnsafeSlow(Math.min(chunkBytes, size - position));
      const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
      if (bytesRead === 0) throw changedWhileRead(path);
      position += bytesRead;
      // What was read before a change may not fit what was read after it.
      if (position >= size) await checkUnchanged(file, entry);
      yield chunk.subarray(0, bytesRead);
    }
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    await file?.close();
  }
}

async function checkUnchanged(file: FileHandle, { path, size, mtimeNs }: ScanEntry): Promise<void> {
  const stats = await file.stat({ bigint: true });
  if (stats.size !== BigInt(size) || stats.mtimeNs !== mtimeNs) throw changedWhileRead(path);
}
