import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";

import { BuilderError, type BuildRequest } from "@slipway/core";

import { readTarFile } from "./tar-context.ts";

/**
 * The text of the Dockerfile; undefined if only the executor will see it. The lower-case spelling of the default name counts too, as with BuildKit.
 *
 * @throws BuilderError CONTEXT_INVALID
 */
export async function readDockerfile(
  { context, dockerfile, dockerfileInline }: Pick<BuildRequest, "context" | "dockerfile" | "dockerfileInline">,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (dockerfileInline !== undefined) return dockerfileInline;
  if (context.type === "git") return undefined;
  const read = (path: string): Promise<string> =>
    context.type === "tar"
      ? readTarFile(context.read, path, signal)
      : readLocal(context.type === "directory" ? join(context.path, path) : path);
  try {
    return await read(dockerfile);
  } catch (error) {
    signal?.throwIfAborted();
    if (posix.basename(dockerfile) !== "Dockerfile") throw error;
    return await read(posix.join(posix.dirname(dockerfile), "dockerfile")).catch(() => {
      throw error;
    });
  }
}

async function readLocal(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new BuilderError({
      code: "CONTEXT_INVALID",
      message: `The Dockerfile ${path} cannot be read. Correct dockerfile, or pass its text as dockerfileInline.`,
      details: { path },
      cause,
    });
  }
}
