import { createHash, type Hash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { buildOptionsSchema, dockerfilePath, invalidOptions, parseOptions } from "@slipway/core";
import type { BuildOptions, Context, ResolvedBuildOptions } from "@slipway/core";

import { contextInvalid, systemErrorCode } from "./context-invalid.ts";
import { contextManifest } from "./manifest/context-manifest.ts";
import { dockerignoreNames, readDockerignore } from "./read-dockerignore.ts";

/** What changes the image. Names, tags and caches do not; secrets must not. */
const identifyingOptions = [
  "target",
  "buildArgs",
  "labels",
  "annotations",
  "platforms",
  "network",
  "addHosts",
  "shmSizeBytes",
  "ulimits",
  "provenance",
  "sbom",
] as const satisfies readonly (keyof ResolvedBuildOptions)[];

/** What an identity may be made of. */
export interface IdentifyOptions {
  /** Refuse files that were changed later than this, in epoch milliseconds: then they are not those of a build that began by then. @defaultValue none is refused */
  readonly unchangedSinceMs?: number | undefined;
  /** Folder for the hashes of unchanged files; `false` reads every file. @defaultValue `slipway/hashes` in the user's cache folder */
  readonly cache?: string | false | undefined;
}

/**
 * One hash of all that a build is made of: the files that `.dockerignore` leaves over with their modes and contents, the Dockerfile, and the options
 * that change the image. Times and owners of files do not count, so the same sources have the same hash on every machine. Files that are
 * unchanged since the last time are not read again.
 *
 * Base images, and addresses in `ADD`, count as they are named: what `FROM node:24` leads to may change without a change of the hash. Secrets leave no
 * trace in it.
 *
 * @returns `sha256:…`
 * @throws `INVALID_OPTIONS`; `CONTEXT_INVALID` for a file that cannot be read
 */
export async function identify(
  options: BuildOptions | ResolvedBuildOptions,
  { unchangedSinceMs = Number.POSITIVE_INFINITY, cache }: IdentifyOptions = {},
): Promise<string> {
  const resolved = isResolved(options) ? options : parseOptions(buildOptionsSchema, options, "identify");
  const hash = createHash("sha256");
  for (const key of identifyingOptions) addText(hash, key, canonicalJson(resolved[key]));
  const { dockerfileInline, context } = resolved;
  const dockerfile =
    context.type === "directory" ? dockerfilePath(context.path, resolved.dockerfile) : resolved.dockerfile;
  const ignoreFiles = dockerignoreNames(dockerfileInline === undefined ? dockerfile : undefined);
  if (dockerfileInline !== undefined) addText(hash, "dockerfile", dockerfileInline);
  else if (context.type === "directory") addText(hash, "dockerfile", await readText(context.path, dockerfile));
  else addText(hash, "dockerfile path", dockerfile);
  if (dockerfileInline === undefined && context.type === "directory")
    await refuseNewer(context.path, dockerfile, unchangedSinceMs);
  const files = { hash, newestMs: unchangedSinceMs, cache };
  await addContext(files, "context", context, ignoreFiles);
  for (const [name, further] of sortedEntries(resolved.contexts))
    await addContext(files, `context ${name}`, further, [".dockerignore"]);
  return `sha256:${hash.digest("hex")}`;
}

/** Strings are expanded to objects when options are parsed. */
function isResolved(options: BuildOptions | ResolvedBuildOptions): options is ResolvedBuildOptions {
  return typeof options.context === "object" && options.outputs !== undefined && options.contexts !== undefined;
}

interface FilesHash {
  readonly hash: Hash;
  readonly newestMs: number;
  readonly cache: string | false | undefined;
}

async function addContext(
  { hash, newestMs, cache }: FilesHash,
  name: string,
  context: Context,
  ignoreFiles: readonly string[],
): Promise<void> {
  if (context.type === "tar") {
    addText(hash, name, context.type);
    for await (const chunk of context.read()) hash.update(chunk);
    return;
  }
  if (context.type !== "directory") {
    if (!isPinned(context)) throw unpinned(name, context.type);
    addText(hash, name, canonicalJson(context));
    return;
  }
  addText(hash, name, context.type);
  // A file that is gone shows in its folder alone.
  for (const path of [".", ...ignoreFiles]) await refuseNewer(context.path, path, newestMs);
  const exclude = readDockerignore(context.path, ignoreFiles);
  const { entries, sha256 } = await contextManifest(context.path, { exclude, cache });
  const changed = entries.find(({ mtimeNs }) => Number(mtimeNs / 1_000_000n) > newestMs);
  if (changed !== undefined)
    throw contextInvalid(changed.path, `${changed.path} of the build context has changed since the build.`);
  addText(hash, name, sha256);
}

/** What is found under a branch or an address today may be something else tomorrow. */
function isPinned(context: Exclude<Context, { type: "directory" | "tar" }>): boolean {
  switch (context.type) {
    case "git":
      return /^[a-f\d]{40}(?:[a-f\d]{24})?$/.test(context.ref ?? "");
    case "image":
      return /@sha\d+:[a-f\d]+$/.test(context.reference);
    case "oci-layout":
      return /@sha\d+:[a-f\d]+$/.test(context.reference ?? "");
    case "http":
      return false;
  }
}

function unpinned(name: string, type: Context["type"]): Error {
  const message = `The ${name} is of type ${type} and names no commit or digest, so what it will be is not known. Pin it, or choose a name for the version yourself`;
  return invalidOptions("identify", [{ path: "context", message }]);
}

async function refuseNewer(root: string, path: string, newestMs: number): Promise<void> {
  if (newestMs === Number.POSITIVE_INFINITY) return;
  const found = await stat(join(root, path)).catch(() => undefined);
  // Fractions of a millisecond would make a file newer than a build that began right after it.
  if (found !== undefined && Math.floor(found.mtimeMs) > newestMs)
    throw contextInvalid(path, `${path} of the build context has changed since the build.`);
}

async function readText(root: string, path: string): Promise<string> {
  try {
    return await readFile(join(root, path), "utf8");
  } catch (error) {
    throw contextInvalid(
      path,
      `Cannot read ${path} of the build context (${systemErrorCode(error) ?? "unknown"}).`,
      error,
    );
  }
}

/** Lengths keep two neighbours from being read as one. */
function addText(hash: Hash, name: string, text: string): void {
  hash.update(`${Buffer.byteLength(name)} ${Buffer.byteLength(text)}\n${name}${text}`);
}

/** JSON whose keys are in one order, however an object was made. */
function canonicalJson(value: unknown): string {
  const sorted: unknown = JSON.parse(
    JSON.stringify(value ?? null, (_key, item: unknown) =>
      typeof item === "object" && item !== null && !Array.isArray(item)
        ? Object.fromEntries(sortedEntries(item))
        : item,
    ),
  );
  return JSON.stringify(sorted);
}

function sortedEntries<Value>(object: Readonly<Record<string, Value>> | object): [string, Value][] {
  return (Object.entries(object) as [string, Value][]).sort(([first], [second]) => (first < second ? -1 : 1));
}
