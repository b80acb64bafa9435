import { dirname, join, posix } from "node:path";

import { dockerfilePath } from "@slipway/core";

import { resolveRoot } from "../context-root.ts";
import { dockerignoreNames, readDockerignore } from "../read-dockerignore.ts";
import type { ScanOptions } from "../scan-filter.ts";
import {
  compareSnapshots,
  inScanOrder,
  stateOfFile,
  type ContextSnapshot,
  type SnapshotDifference,
} from "./context-snapshot.ts";
import { ContextTree, type OnFolder } from "./context-tree.ts";

/** Which part of a context is watched. */
export interface WatchedOptions extends ScanOptions {
  readonly dockerfile?: string | undefined;
}

/** What differs from the last look. */
export interface Look extends SnapshotDifference {
  /** Only folders were looked at in which something has happened, as far as anybody tells. */
  readonly isPartial: boolean;
}

/** A context as it was at the last look. */
export class WatchedContext {
  readonly #root: string;
  readonly #options: WatchedOptions;
  readonly #onFolder: OnFolder;
  readonly #dockerfile: string;
  readonly #dockerfileFolder: string;
  /** What a build reads even if it is ignored, in each spelling that may count. */
  readonly #read: ReadonlySet<string>;
  #exclude: readonly string[];
  #tree: ContextTree;
  #always: ContextSnapshot;

  /** @throws what {@link scanContext} throws */
  constructor(root: string, options: WatchedOptions, onFolder: OnFolder) {
    this.#root = root;
    this.#options = options;
    this.#onFolder = onFolder;
    this.#dockerfile = posix.normalize(options.dockerfile ?? "Dockerfile");
    this.#dockerfileFolder = dirname(join(root, this.#dockerfile));
    const spellings = [this.#dockerfile, this.#dockerfile.replace(/(?<=^|\/)Dockerfile$/, "dockerfile")];
    this.#read = new Set([...spellings, ...spellings.flatMap(dockerignoreNames)]);
    this.#exclude = this.#patterns();
    this.#always = this.#filesRead();
    this.#tree = this.#walk();
    this.#watchDockerfile();
  }

  /** Whether something of the context is, or could be, in a folder. */
  has(folder: string): boolean {
    return this.#tree.has(folder) || folder === this.#dockerfileFolder;
  }

  /**
   * Looks again.
   *
   * @param folders - in which something has happened; undefined: nobody knows, and everything is looked at
   * @throws what {@link scanContext} throws
   */
  look(folders?: ReadonlySet<string>): Look {
    this.#watchDockerfile();
    const always = this.#filesRead();
    const exclude = this.#patterns();
    const isSame = exclude.join("\n") === this.#exclude.join("\n");
    this.#exclude = exclude;
    const known = isSame && this.#options.followPaths === undefined ? folders : undefined;
    const reread = known && this.#tree.reread(known);
    const { changed, removed } = reread ?? this.#lookEverywhere();
    const read = compareSnapshots(this.#always, always);
    this.#always = always;
    const others = (paths: readonly string[]): string[] => paths.filter((path) => !this.#read.has(path));
    return {
      changed: [...read.changed, ...others(changed)],
      removed: [...read.removed, ...others(removed)],
      isPartial: reread !== undefined,
    };
  }

  #lookEverywhere(): SnapshotDifference {
    const before = this.#tree.statesBefore();
    this.#tree = this.#walk();
    return inScanOrder(compareSnapshots(before, this.#tree.states));
  }

  #walk(): ContextTree {
    const { include, followPaths } = this.#options;
    return new ContextTree(resolveRoot(this.#root), { include, exclude: this.#exclude, followPaths }, this.#onFolder);
  }

  #patterns(): readonly string[] {
    const { exclude } = this.#options;
    if (exclude !== undefined) return exclude;
    return readDockerignore(this.#root, dockerignoreNames(dockerfilePath(this.#root, this.#dockerfile)));
  }

  /** Nobody else watches its folder if that is ignored. */
  #watchDockerfile(): void {
    if (!this.#tree.has(this.#dockerfileFolder)) this.#onFolder(this.#dockerfileFolder, "");
  }

  #filesRead(): ContextSnapshot {
    const states = new Map<string, string>();
    for (const path of this.#read) {
      const state = stateOfFile(this.#root, path);
      if (state !== undefined) states.set(path, state);
    }
    return states;
  }
}
