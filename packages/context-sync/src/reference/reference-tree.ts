import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, lutimesSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** How to make one entry of a test tree. A path that ends in `/` is a directory. */
export interface TreeEntry {
  readonly path: string;
  readonly sizeBytes?: number;
  /** Target of a symbolic link. */
  readonly link?: string;
  /** Path of the file that gets a second name. */
  readonly hardlink?: string;
  readonly fifo?: true;
  /** Permission bits. */
  readonly permissions?: number;
  readonly mtimeSeconds?: number;
}

/** Makes a tree below an existing directory. Times are set last, parents after their content. */
export function createTree(root: string, entries: readonly TreeEntry[]): void {
  for (const entry of entries) createEntry(root, entry);
  for (const entry of entries.toReversed()) {
    const path = join(root, entry.path);
    if (entry.permissions !== undefined) chmodSync(path, entry.permissions);
    // A date, because Node takes a negative number for the present time.
    const modified = new Date((entry.mtimeSeconds ?? 1_700_000_000) * 1000);
    lutimesSync(path, modified, modified);
  }
}

function createEntry(root: string, entry: TreeEntry): void {
  const path = join(root, entry.path);
  if (entry.path.endsWith("/")) mkdirSync(path, { recursive: true, mode: 0o755 });
  else if (entry.link !== undefined) symlinkSync(entry.link, path);
  else if (entry.hardlink !== undefined) linkSync(join(root, entry.hardlink), path);
  else if (entry.fifo) execFileSync("mkfifo", ["-m", "644", path]);
  else writeFileSync(path, Buffer.alloc(entry.sizeBytes ?? 0, "x"), { mode: 0o644 });
}
