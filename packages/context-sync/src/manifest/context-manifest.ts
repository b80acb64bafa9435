import { createHash, hash as hashOnce } from "node:crypto";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";

import { BuilderError } from "@slipway/core";

import { readLargeFile, readSmallFile, smallFileBytes } from "../archive/content-file.ts";
import { cacheFolder } from "../cache-folder.ts";
import { resolveRoot } from "../context-root.ts";
import { scanContext } from "../scan-context.ts";
import { fileType, type ScanEntry } from "../scan-entry.ts";
import type { ScanOptions } from "../scan-filter.ts";
import { identityOf } from "./entry-identity.ts";
import { noHashCache, openHashCache } from "./hash-cache.ts";

/** An entry of a context, with what it holds. */
export interface ManifestEntry extends ScanEntry {
  /** Of the content, hexadecimal; of regular files that are not the second name of another. */
  readonly sha256?: string;
}

/** What a context holds, in the order of the scan. */
export interface ContextManifest {
  readonly entries: readonly ManifestEntry[];
  /** Of the files' contents. */
  readonly totalBytes: number;
  /** That had to be read; the hashes of the others were known. */
  readonly readBytes: number;
  /** Of names, types, modes, targets and contents, hexadecimal. Times do not count. */
  readonly sha256: string;
}

/** Which part of a context, and where hashes are kept. */
export interface ManifestOptions extends ScanOptions {
  /** Folder for the hashes of unchanged files; `false` reads every file. @defaultValue `slipway/hashes` in the user's cache folder */
  readonly cache?: string | false | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Lists a context with the hashes of its files. Those that are unchanged since the last time, by device, inode, size and both times, are not
 * read again.
 *
 * @param root - Directory of the context; may be a symbolic link.
 * @throws `CONTEXT_INVALID` for a file that cannot be read or changes meanwhile; what {@link scanContext} throws; `ABORTED`
 */
export async function contextManifest(root: string, options: ManifestOptions = {}): Promise<ContextManifest> {
  const { cache = join(cacheFolder(), "hashes"), signal, ...scanOptions } = options;
  if (signal?.aborted) throw BuilderError.from(signal.reason);
  const resolved = resolveRoot(root);
  const hashes = cache === false ? noHashCache : await openHashCache(cache, resolved);
  const whole = createHash("sha256");
  const entries: ManifestEntry[] = [];
  const target = Buffer.allocUnsafeSlow(smallFileBytes + 1);
  let totalBytes = 0;
  let readBytes = 0;
  let untilTurnBytes = turnBytes;
  for (const found of scanContext(resolved, scanOptions)) {
    const entry: { -readonly [Key in keyof ManifestEntry]: ManifestEntry[Key] } = found;
    if (isFile(found)) {
      totalBytes += found.size;
      const known = hashes.get(found);
      entry.sha256 = known ?? (await hashFile(resolved, found, target));
      if (known === undefined) {
        readBytes += found.size;
        untilTurnBytes -= found.size;
        hashes.set(found, entry.sha256);
      }
    }
    untilTurnBytes -= entryTurnBytes;
    if (untilTurnBytes < 0) {
      // Scanning and reading are synchronous: others get their turn.
      await setImmediate();
      if (signal?.aborted) throw BuilderError.from(signal.reason);
      untilTurnBytes = turnBytes;
    }
    whole.update(`${entry.path}\0${identityOf(entry)}\0`);
    entries.push(entry);
  }
  await hashes.save();
  return { entries, totalBytes, readBytes, sha256: whole.digest("hex") };
}

const turnBytes = 4 * 1024 * 1024;
/** An entry takes about as long as so many bytes. */
const entryTurnBytes = 4096;

function isFile({ mode, hardlink = false }: ScanEntry): boolean {
  return (mode & fileType.mask) === fileType.regular && !hardlink;
}

async function hashFile(root: string, entry: ScanEntry, target: Buffer): Promise<string> {
  if (entry.size <= smallFileBytes) {
    readSmallFile(root, entry, target, 0);
    return hashOnce("sha256", target.subarray(0, entry.size), "hex");
  }
  const hash = createHash("sha256");
  for await (const chunk of readLargeFile(root, entry, 1024 * 1024)) hash.update(chunk);
  return hash.digest("hex");
}
