import { watch, type FSWatcher } from "node:fs";

/** Watches of folders, each without those below it. */
export interface FolderWatches {
  /** Whether all folders are watched; where the system has no more watches to give, somebody has to look from time to time. */
  readonly complete: boolean;
  readonly add: (folder: string) => void;
  /** Ends the watches of folders that were not added since the last call. */
  sweep(): void;
  close(): void;
}

/** Calls `onEvent` for whatever happens in the folders that are added. */
export function createFolderWatches(onEvent: () => void): FolderWatches {
  const watchers = new Map<string, FSWatcher>();
  const added = new Set<string>();
  let complete = true;
  const end = (folder: string): void => {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  };
  return {
    get complete() {
      return complete;
    },
    add: (folder) => {
      added.add(folder);
      if (watchers.has(folder)) return;
      try {
        const watcher = watch(folder, { persistent: true }, (event, name) => {
          // A folder that was deleted, and maybe made anew, has lost its watch.
          if (event === "rename" && (name === null || folder.endsWith(`/${name}`))) end(folder);
          onEvent();
        });
        watcher.on("error", () => {
          end(folder);
          onEvent();
        });
        watchers.set(folder, watcher);
      } catch {
        complete = false;
      }
    },
    sweep: () => {
      for (const folder of watchers.keys()) if (!added.has(folder)) end(folder);
      added.clear();
    },
    close: () => {
      for (const folder of [...watchers.keys()]) end(folder);
    },
  };
}
