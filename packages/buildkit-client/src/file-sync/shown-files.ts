import { isGoRegular } from "./go-file-mode.ts";
import { readStatFrame } from "./packet-reader.ts";
import type { WalkBatch } from "./walk.ts";

/** A file as the daemon was shown it. */
export interface ShownFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeNs: bigint;
}

/** What the daemon was shown and may ask for: entries are numbered from 0 in the order of the walk. */
export class ShownFiles {
  readonly #batches: { readonly firstId: number; readonly batch: WalkBatch }[] = [];
  readonly #taken = new Set<number>();
  #nextId = 0;

  add(batch: WalkBatch): void {
    this.#batches.push({ firstId: this.#nextId, batch });
    this.#nextId += batch.offsets.length;
  }

  /** The file with a number, once. @throws Error when it has no content, was taken already, or was not shown */
  take(id: number): ShownFile {
    const found = this.#batches.findLast(({ firstId }) => firstId <= id);
    const offset = found?.batch.offsets[id - found.firstId];
    const stat = found && offset !== undefined ? readStatFrame(found.batch.bytes, offset) : undefined;
    if (!stat || !isGoRegular(stat.mode) || stat.linkname !== "" || this.#taken.has(id)) {
      throw new Error(`The daemon asked for entry ${id}, which has no content or was sent already.`);
    }
    this.#taken.add(id);
    return stat;
  }
}
