import { randomBytes } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** What nobody has used for so long is not kept. */
export const keptDays = 14;
const dayMs = 86_400_000;

/** Writes a file of a cache whole or not at all, for this user alone; its folder is made where there is none. */
export async function replaceCacheFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await writeFile(temporary, text, { mode: 0o600, flag: "wx" });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Removes the files of a cache that were last written 14 days ago, and what crashed processes left: what has another ending, after a day. */
export async function removeForgottenFiles(folder: string, ending: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const ageMs = Date.now() - (await stat(path)).mtimeMs;
    if (ageMs > keptDays * dayMs || (!name.endsWith(ending) && ageMs > dayMs)) await rm(path, { force: true });
  }
}
