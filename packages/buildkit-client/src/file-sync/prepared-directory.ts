import type { PreparedContext } from "../prepare-context.ts";
import { DirectorySource } from "./directory-source.ts";
import type { FileFilter } from "./file-source.ts";
import { WorkerWalk } from "./worker-walk.ts";
import type { Walk } from "./walk.ts";

// So long after it began, a walk may show files that are different now.
const maxAgeMs = 2000;

/** A folder whose walk has begun before the daemon asks for it. */
export class PreparedDirectory extends DirectorySource implements PreparedContext {
  readonly root: string;
  readonly #expected: string;
  readonly #startedMs = performance.now();
  #walk: WorkerWalk | undefined;

  constructor(root: string, expected: FileFilter) {
    super(root);
    this.root = root;
    this.#expected = JSON.stringify(expected);
    this.#walk = new WorkerWalk({ root, filter: expected });
  }

  override walk(filter: FileFilter): Walk {
    const walk = this.#walk;
    if (walk === undefined || JSON.stringify(filter) !== this.#expected) return super.walk(filter);
    this.#walk = undefined;
    if (performance.now() - this.#startedMs < maxAgeMs) return walk;
    walk.close();
    return super.walk(filter);
  }

  [Symbol.dispose](): void {
    this.#walk?.close();
  }
}
