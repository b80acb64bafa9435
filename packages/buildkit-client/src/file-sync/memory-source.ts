import { createHash } from "node:crypto";

import type { ScanEntry } from "@slipway/context-sync";
import { createPatternMatcher } from "@slipway/context-sync";

import type { InMemoryFiles } from "../solve/solve-request.ts";
import type { FileFilter, FileSource, OpenFile } from "./file-source.ts";
import { fileType } from "./go-file-mode.ts";
import type { ShownFile } from "./shown-files.ts";
import { localWalk, type Walk } from "./walk.ts";

/**
 * Files that exist only in this process. Their times follow from their content, so that the daemon asks again for exactly what
 * changed. Only what is excluded is left out: the daemon copies nothing but what the Dockerfile names anyway.
 */
export class MemorySource implements FileSource {
  readonly #files: ReadonlyMap<string, Buffer>;

  constructor(files: InMemoryFiles) {
    this.#files = new Map(Object.entries(files).map(([name, content]) => [name, Buffer.from(content as Uint8Array)]));
  }

  walk(filter: FileFilter): Walk {
    return localWalk(this.#scan(filter));
  }

  *#scan(filter: FileFilter): Generator<ScanEntry> {
    const excluded = createPatternMatcher(filter.exclude);
    const directories = new Set<string>();
    const compare = (a: string, b: string) => Buffer.compare(sortKey(a), sortKey(b));
    for (const path of [...this.#files.keys()].sort(compare)) {
      if (excluded.matches(path)) continue;
      for (let slash = path.indexOf("/"); slash > 0; slash = path.indexOf("/", slash + 1)) {
        const parent = path.slice(0, slash);
        if (directories.has(parent)) continue;
        directories.add(parent);
        yield { path: parent, mode: fileType.directory | 0o755, size: 0, mtimeNs: 0n, devMajor: 0, devMinor: 0 };
      }
      const content = this.#files.get(path) ?? Buffer.alloc(0);
      yield {
        path,
        mode: fileType.regular | 0o644,
        size: content.length,
        mtimeNs: contentTimeNs(content),
        devMajor: 0,
        devMinor: 0,
      };
    }
  }

  open({ path }: ShownFile): OpenFile {
    const content = this.#files.get(path) ?? Buffer.alloc(0);
    let position = 0;
    return {
      read: (target, offset, length) => {
        const bytes = content.copy(target, offset, position, position + length);
        position += bytes;
        return bytes;
      },
      unchanged: () => true,
      close: () => undefined,
    };
  }
}

/** A folder comes right before its content, so the separator sorts before every other byte. */
function sortKey(path: string): Buffer {
  return Buffer.from(path.replaceAll("/", "\0"));
}

/** A time in the past: seconds from the hash, below 2^31. */
function contentTimeNs(content: Buffer): bigint {
  return BigInt(createHash("sha256").update(content).digest().readUInt32BE(0) >>> 1) * 1_000_000_000n;
}
