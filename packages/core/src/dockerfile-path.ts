import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";

const defaultName = "Dockerfile";
const lowerCased = defaultName.toLowerCase();

/**
 * The path of a Dockerfile as it is spelled in its folder. As with docker, a path that ends in the default name may mean `dockerfile`, where only that is
 * there ([moby#10858](https://github.com/moby/moby/pull/10858)); its ignore file is then `dockerfile.dockerignore`. On file systems that do not tell
 * the two apart, the names in the folder do.
 *
 * @param directory - Of the build context.
 * @param dockerfile - Path in the context.
 */
export function dockerfilePath(directory: string, dockerfile: string): string {
  if (basename(dockerfile) !== defaultName) return dockerfile;
  const names = namesIn(dirname(join(directory, dockerfile)));
  if (names.includes(defaultName) || !names.includes(lowerCased)) return dockerfile;
  return `${dockerfile.slice(0, -defaultName.length)}${lowerCased}`;
}

/** A folder that cannot be listed has no other spelling to offer. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
