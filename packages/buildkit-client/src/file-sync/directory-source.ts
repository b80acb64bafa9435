import * as fs from "node:fs";
import * as path from "node:path";

import { BuilderError } from "@slipway/core";

import type { FileFilter, FileSource, OpenFile } from "./file-source.ts";
import { scanDirectory } from "./scan-directory.ts";
import type { ShownFile } from "./shown-files.ts";
import { localWalk, type Walk } from "./walk.ts";

// Reading small files in the thread pool costs more than it saves; reading large ones here would hold up the daemon's health checks.
const maxSynchronousBytes = 256 * 1024;

/** The files of a folder. */
export class DirectorySource implements FileSource {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  walk(filter: FileFilter): Walk {
    return localWalk(scanDirectory(this.#root, filter));
  }

  open(shown: ShownFile): OpenFile {
    const file = path.join(this.#root, shown.path);
    try {
      return new DirectoryFile(fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW), shown);
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
  readonly #shown: ShownFile;

  constructor(descriptor: number, shown: ShownFile) {
    this.#descriptor = descriptor;
    this.#shown = shown;
  }

  read(target: Buffer, offset: number, length: number): number | Promise<number> {
    if (this.#shown.sizeBytes <= maxSynchronousBytes)
      return fs.readSync(this.#descriptor, target, offset, length, null);
    return new Promise((resolve, reject) => {
      fs.read(this.#descriptor, target, offset, length, null, (error, bytes) =>
        error ? reject(error) : resolve(bytes),
      );
    });
  }

  unchanged(): boolean {
    const { size, mtimeNs } = fs.fstatSync(this.#descriptor, { bigint: true });
    return Number(size) === this.#shown.sizeBytes && mtimeNs === this.#shown.mtimeNs;
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }
}
