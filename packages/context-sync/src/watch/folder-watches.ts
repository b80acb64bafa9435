import { watch, type FSWatcher } from "node:fs";
import { basename } from "node:path";

import { systemErrorCode } from "../context-invalid.ts";

/** Watches of folders, each without those below it. */
export interface FolderWatches {
  /** Whether all folders are watched; where the system has no more watches to give, somebody has to look from time to time. */
  readonly complete: boolean;
  /** Watches a folder from now on; anew if its identity is another one than before. */
  readonly add: (folder: string, identity: string) => void;
  /** Ends the watches of other folders. */
  retain(isWanted: (folder: string) => boolean): void;
  close(): void;
}

/** Whether the system tells of every change in a folder, and in which; elsewhere its word is good for no more than that there was one. */
const tellsWhere = process.platform === "linux";

/** Calls `onEvent` for whatever happens in the folders that are added: with the folder, or without where that is not all. */
export function createFolderWatches(onEvent: (folder: string | undefined) => void): FolderWatches {
  const watchers = new Map<string, { readonly watcher: FSWatcher; readonly identity: string }>();
  let complete = true;
  const end = (folder: string): void => {
    watchers.get(folder)?.watcher.close();
    watchers.delete(folder);
  };
  const start = (folder: string, identity: string): void => {
    const watcher = watch(folder, { persistent: true }, (event, name) => {
      // A folder that was moved or deleted, and maybe made anew, has lost its watch, and those below it are elsewhere.
      const isLost = name === null || (event === "rename" && name === basename(folder));
      if (isLost) end(folder);
      onEvent(isLost || !tellsWhere ? undefined : folder);
    });
    watcher.on("error", () => {
      end(folder);
      onEvent(undefined);
    });
    watchers.set(folder, { watcher, identity });
  };
  return {
    get complete() {
      return complete;
    },
    add: (folder, identity) => {
      const known = watchers.get(folder);
      if (known?.identity === identity) return;
      end(folder);
      try {
        start(folder, identity);
      } catch (error) {
        // A folder that has vanished needs no watch.
        complete &&= systemErrorCode(error) === "ENOENT";
      }
    },
    retain: (isWanted) => {
      for (const folder of watchers.keys()) if (!isWanted(folder)) end(folder);
    },
    close: () => {
      for (const folder of watchers.keys()) end(folder);
    },
  };
}
