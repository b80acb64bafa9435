import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { BuilderError, invalidOptions, type BuildRequest } from "@slipway/core";
import { dockerfileImages } from "@slipway/registry-client";

import { shadowedTargets } from "./additional-mounts.ts";
import { cacheRepository, certificateFile, dockerfileName, executorArguments } from "./executor-arguments.ts";
import { executorOf } from "./executor-version.ts";
import { foldFlags } from "./fold-flags.ts";
import type { KanikoBuildOptions, ResolvedKanikoDriverOptions } from "./kaniko-options.ts";

/** A request with the options that only kaniko knows. */
export type KanikoBuildRequest = BuildRequest & { readonly kaniko: KanikoBuildOptions };

/** Everything that is known of a build before the cluster is asked. */
export interface BuildPlan {
  readonly arguments: readonly string[];
  /** Files that the executor reads, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** Repositories that it writes to: of the tags, and of the cache. */
  readonly written: readonly string[];
  /** Images that it reads, as far as the Dockerfile tells. */
  readonly baseImages: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Plans a build.
 *
 * @throws BuilderError INVALID_OPTIONS, CONTEXT_INVALID
 */
export async function planBuild(request: KanikoBuildRequest, options: ResolvedKanikoDriverOptions): Promise<BuildPlan> {
  refuseUnsupported(request);
  const executor = executorOf(options.image, options.executor);
  const folded = foldFlags(mergeBuildOptions(options, request.kaniko), executor);
  if (folded.issues.length > 0) throw invalidOptions("kaniko", folded.issues);
  const build = folded.options;
  const dockerfile = await readDockerfile(request);
  const cache = cacheRepository(request, build);
  const plan = { executor, driver: options, build, furtherFlags: folded.further };
  return {
    arguments: executorArguments(request, plan),
    files: planFiles(dockerfile, options),
    written: [...request.tags, ...(cache === undefined ? [] : [cache])],
    baseImages: await dockerfileImages(dockerfile, { buildArgs: request.buildArgs }),
    warnings: [
      ...folded.warnings,
      ...securityWarnings(options),
      ...(build.snapshotMode === "time" ? [timeWarning] : []),
      ...shadowedTargets(dockerfile, options.additionalMounts),
    ],
  };
}

const timeWarning =
  'The snapshot mode "time" misses changes that leave the time of a file alone, such as chown: such a change may not be in the image. "full" and "redo" find them.';

/** What a build says goes before what the driver was given, key by key; flags are read in this order too. */
function mergeBuildOptions(driver: KanikoBuildOptions, build: KanikoBuildOptions): KanikoBuildOptions {
  const keys = [
    "snapshotMode",
    "useNewRun",
    "singleSnapshot",
    "reproducible",
    "cleanup",
    "verbosity",
    "allowUnknownFlags",
  ] as const;
  const chosen = Object.fromEntries(
    keys.flatMap((key) => {
      const value = build[key] ?? driver[key];
      return value === undefined ? [] : [[key, value] as const];
    }),
  );
  return {
    ...chosen,
    cache: { ...driver.cache, ...build.cache },
    args: [...(driver.args ?? []), ...(build.args ?? [])],
  };
}

function refuseUnsupported({ outputs, platforms }: BuildRequest): void {
  if (outputs.some((output) => output.type === "push" && output.byDigest === true))
    throw invalidOptions("build", [
      { path: "outputs", message: "kaniko cannot push by digest alone; leave byDigest out, and give a tag of its own" },
    ]);
  const other = platforms.find((platform) => !platform.startsWith("linux/"));
  if (other !== undefined)
    throw invalidOptions("build", [{ path: "platforms", message: `kaniko builds for Linux only, not for ${other}` }]);
}

function securityWarnings({ insecure, skipTlsVerify, registries }: ResolvedKanikoDriverOptions): readonly string[] {
  const plain = Object.entries(registries).flatMap(([host, { http }]) => (http === true ? [host] : []));
  const unchecked = Object.entries(registries).flatMap(([host, access]) => (access.insecure === true ? [host] : []));
  const all = (where: boolean | readonly string[]): string[] =>
    where === false || (Array.isArray(where) && where.length === 0) ? [] : ["every registry"];
  const parts = [
    ...sentence("plain HTTP to", [...all(insecure), ...plain]),
    ...sentence("no certificate check of", [...all(skipTlsVerify), ...unchecked]),
  ];
  return parts.length === 0 ? [] : [`Connections that others can read or change: ${parts.join("; ")}.`];
}

function sentence(what: string, hosts: readonly string[]): readonly string[] {
  return hosts.length === 0 ? [] : [`${what} ${hosts.join(", ")}`];
}

/** The Dockerfile comes by itself, since `.dockerignore` may leave it out of the context. What is ignored is left out here, so nothing is left to ignore there. */
function planFiles(dockerfile: string, { registries }: ResolvedKanikoDriverOptions): Readonly<Record<string, string>> {
  const certificates = Object.values(registries).flatMap(({ ca }, index) =>
    ca === undefined ? [] : [[certificateFile(index), ca] as const],
  );
  return { [dockerfileName]: dockerfile, [`${dockerfileName}.dockerignore`]: "", ...Object.fromEntries(certificates) };
}

async function readDockerfile({ context, dockerfile, dockerfileInline }: BuildRequest): Promise<string> {
  if (dockerfileInline !== undefined) return dockerfileInline;
  const path = context.type === "directory" ? join(context.path, dockerfile) : dockerfile;
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
