import { readFileSync } from "node:fs";
import { join } from "node:path";

import { contextInvalid, systemErrorCode } from "./context-invalid.ts";
import { parseDockerignore } from "./dockerignore.ts";

/** The ignore files of a build, of which the first one that is there counts: that of its Dockerfile, then that of the context. */
export function dockerignoreNames(dockerfile: string | undefined): readonly string[] {
  return dockerfile === undefined ? [".dockerignore"] : [`${dockerfile}.dockerignore`, ".dockerignore"];
}

/**
 * The patterns of the first of these files that is there, or none.
 *
 * @throws `CONTEXT_INVALID` if it cannot be read
 */
export function readDockerignore(root: string, names: readonly string[]): readonly string[] {
  for (const name of names) {
    try {
      return parseDockerignore(readFileSync(join(root, name), "utf8"));
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === undefined) throw error;
      if (code !== "ENOENT" && code !== "ENOTDIR")
        throw contextInvalid(name, `Cannot read ${name} of the build context (${code}). Make it readable.`, error);
    }
  }
  return [];
}
