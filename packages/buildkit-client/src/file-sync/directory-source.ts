import * as fs from "node:fs";
import * as path from "node:path";

import type { ScanEntry } from "@slipway/context-sync";
import { scanContext } from "@slipway/context-sync";
import { BuilderError } from "@slipway/core";

import type { FileFilter, FileSource, OpenFile } from "./file-source.ts";

// Reading small files in the thread pool costs more than it saves; reading large ones here would hold up the daemon's health checks.
const maxSynchronousBytes = 256 * 1024;

/** The files of a folder. */
export class DirectorySource implements FileSource {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  scan(filter: FileFilter): Iterable<ScanEntry> {
    return scanContext(this.#root, {
      ...(filter.include.length > 0 ? { include: [...filter.include] } : {}),
      ...(filter.exclude.length > 0 ? { exclude: [...filter.exclude] } : {}),
      ...(filter.followPaths.length > 0 ? { followPaths: [...filter.followPaths] } : {}),
    });
  }

  open(entry: ScanEntry): OpenFile {
    const file = path.join(this.#root, entry.path);
    try {
      return new DirectoryFile(fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW), entry);
    } catch (cause) {
      throw new BuilderError({
        code: "CONTEXT_INVALID",
        message: `${file} cannot be read: ${(cause as Error).message}. Make it readable, or name it in .dockerignore.`,
        details: { path: file },
        cause,
      });
    }
  }
}

class DirectoryFile implements OpenFile {
  readonly #descriptor: number;
  readonly #entry: ScanEntry;

  constructor(descriptor: number, entry: ScanEntry) {
    this.#descriptor = descriptor;
    this.#entry = entry;
  }

  read(target: Buffer, offset: number, length: number): number | Promise<number> {
    if (this.#entry.size <= maxSynchronousBytes) return fs.readSync(this.#descriptor, target, offset, length, null);
    return new Promise((resolve, reject) => {
      fs.read(this.#descriptor, target, offset, length, null, (error, bytes) =>
        error ? reject(error) : resolve(bytes),
      );
    });
  }

  unchanged(): boolean {
    const { size, mtimeNs } = fs.fstatSync(this.#descriptor, { bigint: true });
    return Number(size) === this.#entry.size && mtimeNs === this.#entry.mtimeNs;
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }
}
