import type { ScanEntry } from "@slipway/context-sync";
import { scanContext } from "@slipway/context-sync";

import type { FileFilter } from "./file-source.ts";

/** The entries of a folder that the daemon wants to see. */
export function scanDirectory(root: string, { include, exclude, followPaths }: FileFilter): Iterable<ScanEntry> {
  return scanContext(root, {
    ...(include.length > 0 ? { include: [...include] } : {}),
    ...(exclude.length > 0 ? { exclude: [...exclude] } : {}),
    ...(followPaths.length > 0 ? { followPaths: [...followPaths] } : {}),
  });
}
