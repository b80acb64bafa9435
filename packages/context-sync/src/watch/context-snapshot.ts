import { lstatSync } from "node:fs";
import { join } from "node:path";

import type { ScanEntry } from "../scan-entry.ts";

/** The state of each path that a build reads. */
export type ContextSnapshot = ReadonlyMap<string, string>;

/** What differs between two snapshots. */
export interface SnapshotDifference {
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** The state of an entry; times of folders change with what is in them, which is told for itself. */
export function stateOf({ mode, size, mtimeNs, linkname = "", inode }: ScanEntry, isDirectory: boolean): string {
  return isDirectory ? String(mode) : `${mode} ${size} ${mtimeNs} ${inode?.ctimeNs ?? 0} ${linkname}`;
}

/** The state of a file that a build reads even if it is ignored, or undefined if it is not there. */
export function stateOfFile(root: string, path: string): string | undefined {
  const stats = lstatSync(join(root, path), { bigint: true, throwIfNoEntry: false });
  return stats && `${stats.mode} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs} `;
}

/** Finds what differs. */
export function compareSnapshots(before: ContextSnapshot, after: ContextSnapshot): SnapshotDifference {
  return {
    changed: [...after].filter(([path, state]) => before.get(path) !== state).map(([path]) => path),
    removed: [...before.keys()].filter((path) => !after.has(path)),
  };
}

/** A folder comes before what is in it, and names are compared by their bytes. */
export function inScanOrder({ changed, removed }: SnapshotDifference): SnapshotDifference {
  return { changed: sortedPaths(changed), removed: sortedPaths(removed) };
}

function sortedPaths(paths: readonly string[]): readonly string[] {
  return paths
    .map((path) => ({ path, key: Buffer.from(path.replaceAll("/", "\0")) }))
    .sort((first, second) => Buffer.compare(first.key, second.key))
    .map(({ path }) => path);
}
