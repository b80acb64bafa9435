import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";

/** Hashes named inputs. The order of the names does not matter; every name and value is delimited. */
export function hashInputs(inputs: Readonly<Record<string, string | readonly string[]>>): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(inputs).sort()) hash.update(JSON.stringify([name, inputs[name]]));
  return hash.digest("hex").slice(0, 16);
}

/** Hashes the names and contents of all files below a folder. */
export function hashFolder(folder: string): string {
  const hash = createHash("sha256");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort()) {
    const contents = readFileSync(path);
    hash.update(`${relative(folder, path)}\0${contents.length}\0`).update(contents);
  }
  return hash.digest("hex");
}
