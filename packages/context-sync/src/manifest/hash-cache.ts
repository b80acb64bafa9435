import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { keptDays, removeForgottenFiles, replaceCacheFile } from "../cache-files.ts";
import type { ScanEntry } from "../scan-entry.ts";

/** Hashes of files that were read before. */
export interface HashCache {
  /** The SHA-256 of a file's content, if the file is as it was when it was read. */
  get(entry: ScanEntry): string | undefined;
  set(entry: ScanEntry, sha256: string): void;
  /** Writes it for the next time. A folder that cannot be written to only costs that time. */
  save(): Promise<void>;
}

/** Keeps nothing. */
export const noHashCache: HashCache = {
  get: () => undefined,
  set: () => undefined,
  save: () => Promise.resolve(),
};

interface CachedHash {
  readonly sha256: string;
  /** Days since 1970. */
  usedOnDay: number;
}

const header = "slipway content hashes 1";
const dayMs = 86_400_000;
/** Of clocks that count whole seconds, or two as FAT does, and of the kernel's tick. */
const coarseTickNs = 2_100_000_000n;
const fineTickNs = 100_000_000n;

/**
 * Opens the cache of a context. Files are known by device, inode, size and both times, so that their paths do not matter; several processes
 * may use it at once, since a file of hashes is never changed, only replaced: what one of them has learned may get lost, and is learned again.
 *
 * @param folder - for the files of all contexts
 * @param root - the context
 * @param nowMs - the time, in epoch milliseconds
 */
export async function openHashCache(folder: string, root: string, nowMs = Date.now()): Promise<HashCache> {
  const path = join(folder, `${createHash("sha256").update(root).digest("hex").slice(0, 32)}.hashes`);
  const today = Math.floor(nowMs / dayMs);
  const { hashes, savedOnDay } = parse(await readFile(path, "latin1").catch(() => ""));
  let changed = savedOnDay !== today;
  const startNs = BigInt(Math.floor(nowMs)) * 1_000_000n;
  return {
    get: (entry) => {
      const known = hashes.get(keyOf(entry) ?? "");
      if (known !== undefined) known.usedOnDay = today;
      return known?.sha256;
    },
    set: (entry, sha256) => {
      const key = keyOf(entry);
      if (key === undefined || isRecent(entry, startNs)) return;
      hashes.set(key, { sha256, usedOnDay: today });
      changed = true;
    },
    save: async () => {
      if (!changed || hashes.size === 0) return;
      changed = false;
      const lines = [`${header} ${today}`];
      for (const [key, { sha256, usedOnDay }] of hashes)
        if (usedOnDay > today - keptDays) lines.push(`${key} ${sha256} ${usedOnDay}`);
      lines.push(`end ${lines.length - 1}`, "");
      await replaceCacheFile(path, lines.join("\n")).catch(() => undefined);
      await removeForgottenFiles(folder, ".hashes").catch(() => undefined);
    },
  };
}

function keyOf({ size, mtimeNs, inode }: ScanEntry): string | undefined {
  return inode && `${inode.device}:${inode.number}:${size}:${mtimeNs}:${inode.ctimeNs}`;
}

/** A file that changes twice within one tick of the clock has the same time both times; so the last one is not trusted yet. */
function isRecent({ mtimeNs, inode }: ScanEntry, nowNs: bigint): boolean {
  const ctimeNs = inode?.ctimeNs ?? 0n;
  const latestNs = ctimeNs > mtimeNs ? ctimeNs : mtimeNs;
  const tickNs = ctimeNs % 1_000_000_000n === 0n ? coarseTickNs : fineTickNs;
  return latestNs > nowNs - tickNs;
}

/** A file that was cut, or is none of ours, is as good as none. */
function parse(text: string): { readonly hashes: Map<string, CachedHash>; readonly savedOnDay: number | undefined } {
  const lines = text.split("\n");
  const savedOnDay = /^slipway content hashes 1 (\d+)$/.exec(lines[0] ?? "")?.[1];
  const hashes = new Map<string, CachedHash>();
  if (savedOnDay === undefined || lines.at(-2) !== `end ${lines.length - 3}`) return { hashes, savedOnDay: undefined };
  for (let index = 1; index < lines.length - 2; index++) {
    const [key, sha256, usedOnDay] = (lines[index] ?? "").split(" ");
    if (key !== undefined && sha256?.length === 64) hashes.set(key, { sha256, usedOnDay: Number(usedOnDay) });
  }
  return { hashes, savedOnDay: Number(savedOnDay) };
}
