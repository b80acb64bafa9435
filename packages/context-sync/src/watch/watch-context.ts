import { setTimeout } from "node:timers/promises";

import { BuilderError } from "@slipway/core";

import { resolveRoot } from "../context-root.ts";
import { dockerignoreNames, readDockerignore } from "../read-dockerignore.ts";
import { walkContext } from "../scan-context.ts";
import { fileType } from "../scan-entry.ts";
import type { ScanOptions } from "../scan-filter.ts";
import { compareSnapshots, stateOf, stateOfFile, type ContextSnapshot } from "./context-snapshot.ts";
import { createFolderWatches } from "./folder-watches.ts";

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
  /** Where the system has no watches left to give, somebody looks this often, in milliseconds. @defaultValue 2000 */
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
  const onEvent = (): void => {
    lastEventMs = performance.now();
    wake.resolve(undefined);
  };
  const watches = createFolderWatches(onEvent);
  let known: ContextSnapshot;
  try {
    known = takeSnapshot(resolved, options, watches.add);
  } catch (error) {
    watches.close();
    throw error;
  }
  watches.sweep();
  ended.addEventListener("abort", () => {
    watches.close();
    wake.resolve(undefined);
  });
  if (ended.aborted) watches.close();

  const isOver = (): boolean => ended.aborted;
  const isSettled = async (): Promise<void> => {
    const startMs = performance.now();
    while (performance.now() - lastEventMs < debounceMs && performance.now() - startMs < maxWaitMs)
      await setTimeout(Math.max(1, debounceMs - (performance.now() - lastEventMs)), undefined, { signal: ended });
  };
  async function* changes(): AsyncGenerator<ContextChange, void, undefined> {
    try {
      while (!isOver()) {
        const polling = new AbortController();
        const poll = watches.complete ? undefined : setTimeout(pollMs, undefined, { signal: polling.signal });
        await Promise.race([wake.promise, poll?.catch(() => undefined) ?? wake.promise]);
        polling.abort();
        await isSettled().catch(() => undefined);
        if (isOver()) break;
        wake = Promise.withResolvers<undefined>();
        const next = takeSnapshot(resolved, options, watches.add);
        watches.sweep();
        const change = compareSnapshots(known, next);
        known = next;
        if (change.changed.length > 0 || change.removed.length > 0) yield change;
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

function takeSnapshot(root: string, options: WatchOptions, onDirectory: (folder: string) => void): ContextSnapshot {
  const { include, followPaths, dockerfile = "Dockerfile" } = options;
  const ignoreFiles = dockerignoreNames(dockerfile);
  const exclude = options.exclude ?? readDockerignore(root, ignoreFiles);
  const states = new Map<string, string>();
  for (const path of [dockerfile, ...ignoreFiles]) {
    const state = stateOfFile(root, path);
    if (state !== undefined) states.set(path, state);
  }
  for (const entry of walkContext(root, { include, exclude, followPaths }, onDirectory))
    if (!states.has(entry.path))
      states.set(entry.path, stateOf(entry, (entry.mode & fileType.mask) === fileType.directory));
  return states;
}
