import { gzipSync } from "node:zlib";

import { readPart } from "../archive/content-file.ts";
import { blockBytes, paddedBytes } from "../archive/tar-header.ts";
import { fileType } from "../scan-entry.ts";
import type { SyncedEntry } from "./sync-archive.ts";

/** Less is sent before anybody could notice. */
const leastBytes = 64 * 1024;
const samples = 16;
const mostSampleBytes = 16 * 1024;
/** What is sent has to become this much smaller, or nobody gains what both sides spend. */
const mostRatio = 0.8;
/** Of what a header says, most is zeros. */
const headerRatio = 0.15;

/** Whether what a sync sends becomes so much smaller that compressing it pays, going by samples: images, archives and programs do not. */
export function compressionPays(root: string, sent: readonly SyncedEntry[]): boolean {
  const files = sent.filter(hasContent);
  const contentBytes = files.reduce((sum, { size }) => sum + paddedBytes(size), 0);
  const headerBytes = sent.length * blockBytes;
  if (contentBytes + headerBytes < leastBytes) return false;
  const compressedBytes = contentBytes * sampledRatio(root, files) + headerBytes * headerRatio;
  return compressedBytes <= (contentBytes + headerBytes) * mostRatio;
}

/** Samples are taken at even distances in all that is sent, so that large files count for what they are. */
function sampledRatio(root: string, files: readonly SyncedEntry[]): number {
  const totalBytes = files.reduce((sum, { size }) => sum + size, 0);
  // Samples that overlap would look like something that repeats itself.
  const sampleBytes = Math.min(mostSampleBytes, Math.floor(totalBytes / samples));
  const taken: Buffer[] = [];
  let passedBytes = 0;
  for (const file of files) {
    const nextOffset = (): number => Math.ceil((totalBytes * taken.length) / samples) - passedBytes;
    for (let offset = nextOffset(); offset < file.size; offset = nextOffset())
      taken.push(sample(root, file, offset, sampleBytes));
    passedBytes += file.size;
  }
  const sampled = Buffer.concat(taken);
  return sampled.length === 0 ? 1 : gzipSync(sampled, { level: 1 }).length / sampled.length;
}

/** A file that cannot be read is told of when it is sent. */
function sample(root: string, { path, content }: SyncedEntry, offset: number, sampleBytes: number): Buffer {
  return content?.subarray(offset, offset + sampleBytes) ?? readPart(root, path, offset, sampleBytes);
}

function hasContent({ mode, size, hardlink = false }: SyncedEntry): boolean {
  return (mode & fileType.mask) === fileType.regular && !hardlink && size > 0;
}
