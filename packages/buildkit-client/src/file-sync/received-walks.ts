import { BuilderError } from "@slipway/core";

import type { ReceivedWalk } from "../solve/received-files.ts";
import type { FileSource } from "./file-source.ts";
import { digestOf, type WalkPart } from "./walk-digest.ts";

/** The walks that the daemon's cache of local files rests on, in this build and in the builds before it that had the same session of files. */
export class ReceivedWalks {
  readonly #known = new Map<string, ReceivedWalk>();
  readonly #made = new Map<string, ReceivedWalk>();
  #isWhole = true;

  /** Whether walks of an earlier build would still show the same; only then they count from here on. */
  async recognise(earlier: readonly ReceivedWalk[], sources: ReadonlyMap<string, FileSource>): Promise<boolean> {
    try {
      for (const walk of earlier) {
        const source = sources.get(walk.name);
        if (source === undefined || (await digestOf(source, walk)) !== walk.digest) return false;
      }
    } catch {
      // What cannot be read any more has changed; if it matters the build itself will say so.
      return false;
    }
    for (const walk of earlier) this.#known.set(keyOf(walk), walk);
    return true;
  }

  /**
   * Takes note of a walk that has shown everything.
   *
   * @throws BuilderError `CONTEXT_INVALID` when it shows something else than the daemon has of the same part: steps could rest on either
   */
  complete(walk: ReceivedWalk): void {
    const key = keyOf(walk);
    const before = this.#made.get(key) ?? this.#known.get(key);
    if (before !== undefined && before.digest !== walk.digest) throw changed(walk);
    this.#made.set(key, walk);
  }

  /** Without the end of a walk nobody knows what the daemon has. */
  incomplete(): void {
    this.#isWhole = false;
  }

  /** Walks of earlier builds that the daemon had no need of in this one. */
  get unasked(): readonly ReceivedWalk[] {
    return [...this.#known].filter(([key]) => !this.#made.has(key)).map(([, walk]) => walk);
  }

  /** All that the daemon has; undefined when that is not certain. */
  get all(): readonly ReceivedWalk[] | undefined {
    return this.#isWhole ? [...new Map([...this.#known, ...this.#made]).values()] : undefined;
  }
}

function keyOf({ name, filter: { include, exclude, followPaths } }: WalkPart): string {
  return JSON.stringify([name, include, exclude, followPaths]);
}

function changed({ name }: WalkPart): BuilderError<"CONTEXT_INVALID"> {
  return new BuilderError({
    code: "CONTEXT_INVALID",
    message: `The files of ${name} changed while they were built from. Build again once nothing writes to them, or name in .dockerignore what need not be there.`,
    details: { path: name },
  });
}
