import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A build context in a folder of its own; disposing deletes it. */
export interface ContextFolder extends AsyncDisposable {
  readonly path: string;
  write(file: string, content: string | Uint8Array): Promise<void>;
}

/** Makes a folder with these files. */
export async function createContextFolder(
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<ContextFolder> {
  const path = await mkdtemp(join(tmpdir(), "slipway-e2e-"));
  const write = async (file: string, content: string | Uint8Array): Promise<void> => {
    await mkdir(dirname(join(path, file)), { recursive: true });
    await writeFile(join(path, file), content);
  };
  for (const [file, content] of Object.entries(files)) await write(file, content);
  return { path, write, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
