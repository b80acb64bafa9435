import { readdirSync, type Dirent } from "node:fs";
import { join } from "node:path";

// A thread takes as long to start as a walk through some thousand files takes.
const minEntries = 2000;

/** Whether a folder, or what is below some paths in it, has many entries. Counts names only, which is quick, and stops when there are enough. */
export function isLarge(root: string, paths: readonly string[]): boolean {
  const open = paths.length === 0 ? [root] : paths.map((path) => join(root, path));
  let entries = 0;
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for (const entry of readEntries(folder)) {
      entries += 1;
      if (entry.isDirectory()) open.push(join(folder, entry.name));
    }
    if (entries >= minEntries) return true;
  }
  return false;
}

/** What cannot be read is reported by the walk itself. */
function readEntries(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
