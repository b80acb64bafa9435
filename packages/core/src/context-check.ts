import { open, readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";

import type { ResolvedBuildOptions } from "./build-options.ts";
import { BuilderError } from "./builder-error.ts";
import type { Context } from "./context.ts";
import { dockerfilePath } from "./dockerfile-path.ts";
import { nearestName } from "./nearest-name.ts";

/**
 * Makes sure that what a build reads from this machine is there, before a driver does anything.
 * @returns the same options, with the path of the Dockerfile as it is spelled there
 * @throws `CONTEXT_INVALID` naming the path and what to do.
 */
export async function checkContexts<Options extends ResolvedBuildOptions>(options: Options): Promise<Options> {
  const { context, contexts, dockerfileInline } = options;
  await checkContext(context, "The build context");
  for (const [name, further] of Object.entries(contexts)) await checkContext(further, `The context "${name}"`);
  if (context.type !== "directory" || dockerfileInline !== undefined) return options;
  const dockerfile = dockerfilePath(context.path, options.dockerfile);
  await checkDockerfile(context.path, dockerfile);
  return { ...options, dockerfile };
}

async function checkContext(context: Context, what: string): Promise<void> {
  if (context.type !== "directory" && context.type !== "oci-layout") return;
  const path = resolve(context.path);
  const found = await lookUp(path, what);
  if (found === undefined)
    throw contextInvalid(
      path,
      `${what} ${path} does not exist. Check the path; a relative one starts at ${process.cwd()}.`,
    );
  if (!found.isDirectory())
    throw contextInvalid(path, `${what} ${path} is not a directory. Name the directory that holds the files.`);
}

async function checkDockerfile(directory: string, dockerfile: string): Promise<void> {
  const path = resolve(directory, dockerfile);
  const found = await lookUp(path, "The Dockerfile");
  if (found?.isFile() === true) return;
  if (found !== undefined)
    throw contextInvalid(path, `The Dockerfile ${path} is not a file. Set dockerfile to its path inside the context.`);
  const hint = nearestName(basename(path), await namesIn(join(path, "..")));
  const remedy =
    hint === undefined
      ? "Create it, set dockerfile to its path inside the context, or pass dockerfileInline"
      : `Did you mean "${hint}"`;
  throw contextInvalid(path, `The Dockerfile ${path} does not exist. ${remedy}${hint === undefined ? "." : "?"}`);
}

/** Opens a file as well: only that tells whether it can be read. */
async function lookUp(path: string, what: string): Promise<Awaited<ReturnType<typeof stat>> | undefined> {
  try {
    const found = await stat(path);
    if (found.isFile()) await (await open(path)).close();
    return found;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw contextInvalid(path, `${what} ${path} cannot be read: ${message}. Check its permissions.`, error);
  }
}

async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}

function contextInvalid(path: string, message: string, cause?: unknown): BuilderError<"CONTEXT_INVALID"> {
  return new BuilderError({ code: "CONTEXT_INVALID", message, details: { path }, cause });
}
