import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A build context of many small files, in a folder of its own. */
export interface ContextFolder extends AsyncDisposable {
  readonly path: string;
  /** Writes one of the files anew. */
  change(): Promise<void>;
}

const filesPerFolder = 200;

/** Makes `files` files of `sizeBytes` random bytes each, and a Dockerfile that copies them onto `base`. */
export async function createContextFolder(base: string, files: number, sizeBytes: number): Promise<ContextFolder> {
  const path = await mkdtemp(join(tmpdir(), "slipway-context-"));
  await writeFile(join(path, "Dockerfile"), `FROM ${base}\nCOPY src /src\nRUN true\n`);
  for (let first = 0; first < files; first += filesPerFolder) {
    const folder = join(path, "src", `part-${first / filesPerFolder}`);
    await mkdir(folder, { recursive: true });
    for (let index = 0; index < Math.min(filesPerFolder, files - first); index += 1) {
      await writeFile(join(folder, `file-${index}`), randomBytes(sizeBytes));
    }
  }
  return {
    path,
    change: () => writeFile(join(path, "src", "part-0", "file-0"), randomBytes(sizeBytes)),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
