import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { readFile, readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";

import { BuilderError } from "@slipway/core";
import type { BuildRequest } from "@slipway/core";

/**
 * One hash of what a fake build is made of: every file of its folder, and the options that its digest depends on.
 *
 * It reads no `.dockerignore`: what that leaves out counts too.
 *
 * @throws `CONTEXT_INVALID` for a file or folder that was changed later than `unchangedSinceMs`, or cannot be read
 */
export async function fakeIdentity(
  request: BuildRequest,
  { unchangedSinceMs = Number.POSITIVE_INFINITY }: { readonly unchangedSinceMs?: number } = {},
): Promise<string> {
  const { context, dockerfile, dockerfileInline, target, buildArgs, labels, platforms } = request;
  const hash = createHash("sha256");
  hash.update(JSON.stringify([dockerfile, dockerfileInline, target, buildArgs, labels, platforms]));
  if (context.type === "directory")
    await addFiles(hash, context.path, unchangedSinceMs).catch((error: unknown) => {
      throw isSystemError(error) ? unreadable(context.path, error) : error;
    });
  return `sha256:${hash.digest("hex")}`;
}

async function addFiles(hash: Hash, root: string, newestMs: number): Promise<void> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const pathsOf = (some: typeof entries) => some.map((entry) => join(entry.parentPath, entry.name));
  const files = pathsOf(entries.filter((entry) => entry.isFile()));
  // A file that is gone shows in its folder alone.
  const folders = pathsOf(entries.filter((entry) => entry.isDirectory()));
  await refuseNewer(root, [root, ...folders, ...files], newestMs);
  for (const path of files.toSorted()) hash.update(`${relative(root, path)}\0`).update(await readFile(path));
}

async function refuseNewer(root: string, paths: readonly string[], newestMs: number): Promise<void> {
  if (newestMs === Number.POSITIVE_INFINITY) return;
  for (const path of paths) {
    // Fractions of a millisecond would make a file newer than a build that began right after it.
    if (Math.floor((await stat(path)).mtimeMs) <= newestMs) continue;
    const name = relative(root, path) || ".";
    throw contextInvalid(name, `${name} of the build context has changed since the build.`);
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "errno" in error && "code" in error;
}

function unreadable(root: string, cause: NodeJS.ErrnoException): BuilderError<"CONTEXT_INVALID"> {
  const path = relative(root, cause.path ?? root) || ".";
  return contextInvalid(path, `Cannot read ${path} of the build context (${cause.code ?? "unknown"}).`, cause);
}

function contextInvalid(path: string, message: string, cause?: Error): BuilderError<"CONTEXT_INVALID"> {
  return new BuilderError({
    code: "CONTEXT_INVALID",
    message,
    details: { path },
    ...(cause === undefined ? {} : { cause }),
  });
}
