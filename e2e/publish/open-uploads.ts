import { glob } from "node:fs/promises";
import { join } from "node:path";

/**
 * The uploads that a registry of distribution has open, by their folders. One that it has dropped may leave a state of its hash behind, which
 * distribution 3 writes once more after it has deleted the rest.
 */
export async function openUploads({ folder }: { readonly folder: string }): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const path of glob("docker/registry/v2/repositories/**/_uploads/*/startedat", { cwd: folder })) {
    found.push(join(folder, path));
  }
  return found;
}
