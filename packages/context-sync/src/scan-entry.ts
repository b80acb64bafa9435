import { isUtf8 } from "node:buffer";
import type { BigIntStats } from "node:fs";
import { readlinkSync } from "node:fs";

import { clientPlatform, contextMode, contextPath } from "./client-platform.ts";
import { contextInvalid } from "./context-invalid.ts";

/** A file, directory, symbolic link, FIFO or device of a build context, as `lstat` sees it. */
export interface ScanEntry {
  /** Relative to the context's root, separated by `/`, without a leading one. */
  readonly path: string;
  /** `st_mode`: type and permission bits as POSIX numbers them. */
  readonly mode: number;
  /** Bytes; of a symbolic link the length of its target, of a directory 0. */
  readonly size: number;
  /** Last modification in nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  /** Target of a symbolic link; of a hard link the path of the entry that came first. */
  readonly linkname?: string;
  /** The content has been listed already, under `linkname`. */
  readonly hardlink?: boolean;
  /** Major device number; 0 unless the entry is a device. */
  readonly devMajor: number;
  /** Minor device number; 0 unless the entry is a device. */
  readonly devMinor: number;
  /** Which file it is, and when it last changed in any way; absent for entries of other origin than a file system. */
  readonly inode?: InodeState;
}

/** What changes whenever a file does, as far as its file system keeps time. */
export interface InodeState {
  readonly device: bigint;
  readonly number: bigint;
  /** Last change of content or status in nanoseconds since 1970. */
  readonly ctimeNs: bigint;
}

export const fileType = {
  mask: 0o170000,
  socket: 0o140000,
  link: 0o120000,
  regular: 0o100000,
  directory: 0o040000,
  block: 0o060000,
  character: 0o020000,
  fifo: 0o010000,
} as const;

/** Paths of the inodes with more than one name that were emitted so far. */
export type FirstNames = Map<string, string>;

/** Turns a file's status into an entry. `firstNames` learns about entries with several names. */
export function scanEntry(path: string, absolutePath: string, stats: BigIntStats, firstNames: FirstNames): ScanEntry {
  const mode = contextMode(Number(stats.mode), clientPlatform);
  const type = mode & fileType.mask;
  const size = type === fileType.directory ? 0 : Number(stats.size);
  const inode = { device: stats.dev, number: stats.ino, ctimeNs: stats.ctimeNs };
  const entry = { path, mode, size, mtimeNs: stats.mtimeNs, devMajor: 0, devMinor: 0, inode };
  if (type === fileType.directory) return entry;
  if (type === fileType.link)
    return { ...entry, linkname: contextPath(readTarget(path, absolutePath), clientPlatform) };
  const complete =
    type === fileType.block || type === fileType.character ? { ...entry, ...deviceNumbers(stats.rdev) } : entry;
  if (stats.nlink < 2n) return complete;
  const key = `${stats.dev}:${stats.ino}`;
  const first = firstNames.get(key);
  if (first !== undefined) return { ...complete, linkname: first, hardlink: true };
  firstNames.set(key, path);
  return complete;
}

function readTarget(path: string, absolutePath: string): string {
  const target = readlinkSync(absolutePath);
  if (!target.includes("\ufffd") || isUtf8(readlinkSync(absolutePath, { encoding: "buffer" }))) return target;
  throw contextInvalid(
    path,
    `The target of the symbolic link ${path} is not UTF-8, which BuildKit cannot take. Name the link in .dockerignore.`,
  );
}

/** Splits a device number as Linux encodes it for 32 bits, which is how fsutil reads it. */
function deviceNumbers(device: bigint): { devMajor: number; devMinor: number } {
  return {
    devMajor: Number((device >> 8n) & 0xfffn),
    devMinor: Number((device & 0xffn) | ((device >> 12n) & 0xfff00n)),
  };
}
