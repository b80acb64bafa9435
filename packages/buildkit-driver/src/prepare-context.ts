import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { prepareContext, type PreparedContext } from "@slipway/buildkit-client";
import type { BuildRequest } from "@slipway/core";

/** Begins to walk through a large context while the builder is looked for and dialled, where most of the time goes by waiting. */
export async function prepareContextOf(request: BuildRequest): Promise<PreparedContext | undefined> {
  const { context, dockerfile: path, dockerfileInline } = request;
  if (context.type !== "directory") return undefined;
  const read = (name: string): Promise<string | undefined> =>
    readFile(join(context.path, name), "utf8").catch(() => undefined);
  const [dockerfile, ownIgnore, ignore] = await Promise.all([
    dockerfileInline ?? read(path),
    dockerfileInline === undefined ? read(`${path}.dockerignore`) : undefined,
    read(".dockerignore"),
  ]);
  if (dockerfile === undefined) return undefined;
  return prepareContext(context.path, { dockerfile, dockerignore: ownIgnore ?? ignore ?? "" });
}
