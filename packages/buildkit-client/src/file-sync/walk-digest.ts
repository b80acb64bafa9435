import { createHash, type Hash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";

import type { FileFilter, FileSource, OpenFile } from "./file-source.ts";
import { isGoRegular } from "./go-file-mode.ts";
import { readStatFrame } from "./packet-reader.ts";
import type { ShownFile } from "./shown-files.ts";
import type { WalkBatch } from "./walk.ts";

/** The part of a local directory that a walk goes through. */
export interface WalkPart {
  readonly name: string;
  readonly filter: FileFilter;
}

/** What walks showed that have the same digest is the same, byte for byte. */
export class WalkDigest {
  readonly #frames = createHash("sha256");
  readonly #contents: Map<string, Hash> | undefined;

  /** @param part - Where the daemon does not trust metadata, the digest covers contents too. */
  constructor(part: WalkPart) {
    this.#contents = comparesContents(part) ? new Map() : undefined;
  }

  /** Adds what is shown next. */
  add({ bytes }: Pick<WalkBatch, "bytes">): void {
    this.#frames.update(bytes);
  }

  /** Adds the next piece of a file's content, in any order of the files. */
  addContent({ path }: Pick<ShownFile, "path">, piece: Uint8Array): void {
    if (this.#contents === undefined) return;
    const hash = this.#contents.get(path) ?? createHash("sha256");
    this.#contents.set(path, hash.update(piece));
  }

  finish(): string {
    const digest = this.#frames.digest("hex");
    if (this.#contents === undefined) return digest;
    const files = [...this.#contents].map(([path, hash]) => [path, hash.digest("hex")]);
    return createHash("sha256")
      .update(JSON.stringify([digest, files.sort()]))
      .digest("hex");
  }
}

/**
 * The Dockerfile and `.dockerignore` are read by BuildKit at each build, whatever their times say: it sends for them with the differ `none`, for
 * everything else with `metadata`.
 */
function comparesContents({ name, filter: { followPaths } }: WalkPart): boolean {
  return name === "dockerfile" || (followPaths.length === 1 && followPaths[0] === ".dockerignore");
}

/** The digest of what a walk through a source shows now. @throws BuilderError `CONTEXT_INVALID` */
export async function digestOf(source: FileSource, part: WalkPart): Promise<string> {
  const known = await source.digest?.(part.filter);
  if (known !== undefined) return known;
  const walk = source.walk(part.filter);
  const digest = new WalkDigest(part);
  try {
    for (let batch = walk.next(); batch !== undefined; batch = walk.next()) {
      if (batch === "later") await walk.ready();
      else {
        digest.add(batch);
        if (comparesContents(part)) await addContents(digest, source, batch);
        // A batch takes milliseconds, and the daemon is being dialled.
        await nextTurn();
      }
    }
    return digest.finish();
  } finally {
    walk.close();
  }
}

async function addContents(digest: WalkDigest, source: FileSource, { bytes, offsets }: WalkBatch): Promise<void> {
  for (const offset of offsets) {
    const { mode, linkname, ...shown } = readStatFrame(bytes, offset);
    if (isGoRegular(mode) && linkname === "") await addContent(digest, shown, source.open(shown));
  }
}

async function addContent(digest: WalkDigest, shown: ShownFile, file: OpenFile): Promise<void> {
  const piece = Buffer.alloc(Math.min(shown.sizeBytes, 64 * 1024));
  try {
    digest.addContent(shown, piece.subarray(0, 0));
    for (let rest = shown.sizeBytes; rest > 0;) {
      const bytes = await file.read(piece, 0, Math.min(rest, piece.length));
      // It has become shorter, and with that another file.
      if (bytes === 0) break;
      digest.addContent(shown, piece.subarray(0, bytes));
      rest -= bytes;
    }
  } finally {
    file.close();
  }
}
