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
    const walk = this.#fitting(filter);
    if (walk === undefined) return super.walk(filter);
    this.#walk = undefined;
    return walk;
  }

  async digest(filter: FileFilter): Promise<string | undefined> {
    return this.#fitting(filter)?.digest();
  }

  /** The walk that has begun, if it is what is wanted and not too old. */
  #fitting(filter: FileFilter): WorkerWalk | undefined {
    const isFitting = JSON.stringify(filter) === this.#expected && performance.now() - this.#startedMs < maxAgeMs;
    return isFitting ? this.#walk : undefined;
  }

  [Symbol.dispose](): void {
    this.#walk?.close();
  }
}
