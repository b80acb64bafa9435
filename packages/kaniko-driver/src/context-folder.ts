import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { parseDockerignore } from "@slipway/context-sync";
import type { BuildRequest } from "@slipway/core";

/** A folder that is a context, and what of it is none. */
export interface ContextFolder {
  readonly root: string;
  readonly exclude: readonly string[];
}

/** The folder of a build, without what its `.dockerignore` leaves out: the Dockerfile's own, else the context's. */
export async function contextFolder(request: BuildRequest): Promise<ContextFolder> {
  const root = request.context.type === "directory" ? request.context.path : ".";
  const read = (name: string): Promise<string | undefined> => readFile(join(root, name), "utf8").catch(() => undefined);
  const own = request.dockerfileInline === undefined ? await read(`${request.dockerfile}.dockerignore`) : undefined;
  return { root, exclude: parseDockerignore(own ?? (await read(".dockerignore")) ?? "") };
}
