import { createHash } from "node:crypto";
import { readFile, readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";

import { BuilderError } from "@slipway/core";
import type { BuildRequest } from "@slipway/core";

/**
 * One hash of what a fake build is made of: every file of its folder, and the options that its digest depends on.
 *
 * It reads no `.dockerignore`: what that leaves out counts too.
 *
 * @throws `CONTEXT_INVALID` for a file or folder that was changed later than `unchangedSinceMs`
 */
export async function fakeIdentity(
  request: BuildRequest,
  { unchangedSinceMs = Number.POSITIVE_INFINITY }: { readonly unchangedSinceMs?: number } = {},
): Promise<string> {
  const { context, dockerfile, dockerfileInline, target, buildArgs, labels, platforms } = request;
  const hash = createHash("sha256");
  hash.update(JSON.stringify([dockerfile, dockerfileInline, target, buildArgs, labels, platforms]));
  if (context.type === "directory") {
    const entries = await readdir(context.path, { recursive: true, withFileTypes: true });
    const pathsOf = (some: typeof entries) => some.map((entry) => join(entry.parentPath, entry.name));
    const files = pathsOf(entries.filter((entry) => entry.isFile()));
    // A file that is gone shows in its folder alone.
    const folders = pathsOf(entries.filter((entry) => entry.isDirectory()));
    await refuseNewer(context.path, [context.path, ...folders, ...files], unchangedSinceMs);
    for (const path of files.toSorted()) hash.update(`${relative(context.path, path)}\0`).update(await readFile(path));
  }
  return `sha256:${hash.digest("hex")}`;
}

async function refuseNewer(root: string, paths: readonly string[], newestMs: number): Promise<void> {
  if (newestMs === Number.POSITIVE_INFINITY) return;
  for (const path of paths) {
    // Fractions of a millisecond would make a file newer than a build that began right after it.
    if (Math.floor((await stat(path)).mtimeMs) <= newestMs) continue;
    const name = relative(root, path) || ".";
    throw new BuilderError({
      code: "CONTEXT_INVALID",
      message: `${name} of the build context has changed since the build.`,
      details: { path: name },
    });
  }
}
