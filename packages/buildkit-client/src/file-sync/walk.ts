import type { ScanEntry } from "@slipway/context-sync";

import { fileType, goFileMode } from "./go-file-mode.ts";
import { maxStatFrameBytes, writeStatFrame } from "./packet-encoder.ts";

/** Some entries of a walk as they travel. Encoded, they can cross to another thread, and take a fraction of the memory. */
export interface WalkBatch {
  /** One frame behind the other. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where the frame of each entry begins. */
  readonly offsets: Uint32Array<ArrayBuffer>;
  /** Regular files among the entries. */
  readonly files: number;
  /** Sum of their sizes. */
  readonly totalBytes: number;
}

/** A walk through a source, in the order of the wire. */
export interface Walk {
  /** What comes next; `"later"` if that is still being made, undefined at the end. @throws BuilderError `CONTEXT_INVALID` */
  next(): WalkBatch | "later" | undefined;
  /** Resolves when `next` has more to say than `"later"`. */
  ready(): Promise<void>;
  /** Ends a walk that is not wanted any more. */
  close(): void;
}

// A batch takes a few milliseconds to make: longer, and health checks of the daemon wait.
const batchBytes = 64 * 1024;
const fullBytes = 48 * 1024;

/** Takes entries until a batch is full; undefined when there are none left. */
export function encodeBatch(entries: Iterator<ScanEntry>): WalkBatch | undefined {
  let buffer = Buffer.allocUnsafeSlow(batchBytes);
  let offset = 0;
  const offsets: number[] = [];
  let files = 0;
  let totalBytes = 0;
  while (offset < fullBytes) {
    const next = entries.next();
    if (next.done === true) break;
    const stat = packetStat(next.value);
    const needed = offset + maxStatFrameBytes(stat);
    if (needed > buffer.length) buffer = Buffer.concat([buffer], needed);
    offsets.push(offset);
    offset = writeStatFrame(buffer, offset, stat);
    if ((next.value.mode & fileType.mask) !== fileType.regular) continue;
    files += 1;
    totalBytes += stat.sizeBytes;
  }
  if (offset === 0) return undefined;
  return { bytes: buffer.subarray(0, offset), offsets: Uint32Array.from(offsets), files, totalBytes };
}

function packetStat(entry: ScanEntry): Parameters<typeof writeStatFrame>[2] {
  const hasSize = entry.hardlink !== true && (entry.mode & fileType.mask) !== fileType.directory;
  return {
    path: entry.path,
    mode: goFileMode(entry.mode),
    sizeBytes: hasSize ? entry.size : 0,
    mtimeNs: entry.mtimeNs,
    linkname: entry.linkname ?? "",
    devMajor: entry.devMajor,
    devMinor: entry.devMinor,
  };
}

/** A walk that is made in this thread, batch by batch. */
export function localWalk(entries: Iterable<ScanEntry>): Walk {
  const iterator = entries[Symbol.iterator]();
  return { next: () => encodeBatch(iterator), ready: () => Promise.resolve(), close: () => undefined };
}
