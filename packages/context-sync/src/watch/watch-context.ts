import { setImmediate, setTimeout } from "node:timers/promises";

import { BuilderError } from "@slipway/core";

import { resolveRoot } from "../context-root.ts";
import type { ScanOptions } from "../scan-filter.ts";
import { createFolderWatches } from "./folder-watches.ts";
import { WatchedContext } from "./watched-context.ts";

/** Which part of a context, and how soon to tell. */
export interface WatchOptions extends ScanOptions {
  /** Path of the Dockerfile in the context, which counts even if it is ignored. @defaultValue `"Dockerfile"` */
  readonly dockerfile?: string | undefined;
  /** Patterns of what does not count. @defaultValue those of the ignore file, read anew with every change */
  readonly exclude?: readonly string[] | undefined;
  /** Changes that follow each other by less, in milliseconds, are one. @defaultValue 100 */
  readonly debounceMs?: number | undefined;
  /** After so long a change is told though others go on, in milliseconds. @defaultValue 2000 */
  readonly maxWaitMs?: number | undefined;
  /**
   * Where the system has no watches left to give, somebody looks at everything this often, in milliseconds; elsewhere once after changes, when it has
   * been quiet for so long. @defaultValue 2000
   */
  readonly pollMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What differs from the last time that something was told. */
export interface ContextChange {
  /** New and changed paths, in the order of the scan. */
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** Changes of a context, as they come, those that come while nobody asks gathered to one. Leaving the loop ends the watch. */
export interface ContextWatcher extends AsyncIterable<ContextChange>, AsyncDisposable {
  /** Ends the watch, and the loop that waits for it. */
  close(): Promise<void>;
}

/**
 * Watches a build context from this moment on. What `.dockerignore` ignores is ignored here too, folders that hold nothing else are not even
 * watched, and changes that leave every file as it was are not told.
 *
 * @param root - Directory of the context; may be a symbolic link.
 * @throws `CONTEXT_INVALID` as {@link scanContext}, also while it is watched
 */
export function watchContext(root: string, options: WatchOptions = {}): ContextWatcher {
  const { debounceMs = 100, maxWaitMs = 2000, pollMs = 2000, signal } = options;
  const resolved = resolveRoot(root);
  const closing = new AbortController();
  const ended = signal ? AbortSignal.any([signal, closing.signal]) : closing.signal;
  let lastEventMs = performance.now();
  let wake = Promise.withResolvers<undefined>();
  let told = nothingTold();
  const watches = createFolderWatches((folder) => {
    lastEventMs = performance.now();
    told.events += 1;
    if (folder === undefined) told.isAll = false;
    else told.folders.add(folder);
    wake.resolve(undefined);
  });
  let context: WatchedContext;
  try {
    context = new WatchedContext(resolved, options, watches.add);
  } catch (error) {
    watches.close();
    throw error;
  }
  ended.addEventListener("abort", () => {
    watches.close();
    wake.resolve(undefined);
  });
  if (ended.aborted) watches.close();

  const isOver = (): boolean => ended.aborted;
  const isSettled = async (): Promise<void> => {
    const startMs = performance.now();
    // What has happened so far is told in between: a turn may have begun before it.
    for (let turn = 0; turn < 2; turn += 1) await setImmediate();
    while (performance.now() - lastEventMs < debounceMs && performance.now() - startMs < maxWaitMs)
      await setTimeout(Math.max(1, debounceMs - (performance.now() - lastEventMs)), undefined, { signal: ended });
  };
  // What nobody tells of (a mapped file, another host, a queue that was full) is looked for when things are quiet again.
  let isSure = true;
  async function* changes(): AsyncGenerator<ContextChange, void, undefined> {
    try {
      while (!isOver()) {
        const polling = new AbortController();
        const poll = watches.complete && isSure ? undefined : setTimeout(pollMs, undefined, { signal: polling.signal });
        await Promise.race([wake.promise, poll?.catch(() => undefined) ?? wake.promise]);
        polling.abort();
        await isSettled().catch(() => undefined);
        if (isOver()) break;
        wake = Promise.withResolvers<undefined>();
        const { folders, isAll, events } = told;
        told = nothingTold();
        const isKnown = watches.complete && isAll && events > 0 && events < manyEvents;
        const look = context.look(isKnown ? folders : undefined);
        isSure = !look.isPartial;
        watches.retain((folder) => context.has(folder));
        const { changed, removed } = look;
        if (changed.length > 0 || removed.length > 0) yield { changed, removed };
      }
      if (signal?.aborted) throw BuilderError.from(signal.reason);
    } finally {
      closing.abort();
    }
  }
  const close = (): Promise<void> => {
    closing.abort();
    return Promise.resolve();
  };
  return { [Symbol.asyncIterator]: changes, close, [Symbol.asyncDispose]: close };
}

/** The kernel drops events, and Node says nothing of it, where four times as many wait. */
const manyEvents = 4096;

function nothingTold(): { readonly folders: Set<string>; isAll: boolean; events: number } {
  return { folders: new Set(), isAll: true, events: 0 };
}
