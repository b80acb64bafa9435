import type { BuildRequest } from "@slipway/core";
import { formatImageReference, parseImageReference } from "@slipway/registry-client";

import { flagName } from "./executor-flags.ts";
import type { Executor } from "./executor-version.ts";
import { outputArguments } from "./image-archives.ts";
import type { KanikoBuildOptions, ResolvedKanikoDriverOptions } from "./kaniko-options.ts";

/** Where the files of a build's Secret are; kaniko leaves its own folder out of every image. */
export const filesFolder = "/kaniko/slipway";
/** Where kaniko looks for registry credentials. */
export const dockerConfigFolder = "/kaniko/.docker";
/** Where a context that the pod mounts is. */
export const contextMountPath = "/kaniko/context";
/** The build's Dockerfile among these files. */
export const dockerfileName = "Dockerfile";

/** What decides the arguments of the executor. */
export interface ExecutorPlan {
  readonly executor: Executor;
  readonly options: Pick<ResolvedKanikoDriverOptions, "registries" | "insecure" | "skipTlsVerify" | "registryMirrors">;
  /** Of the driver and of the build, with flags folded in. */
  readonly build: KanikoBuildOptions;
  /** Flags that no option stands for. */
  readonly furtherFlags: readonly string[];
}

/** Writes a flag as the executor spells it: alone for `null`, not at all for `undefined`. */
type WriteFlag = (name: string, value: string | number | boolean | null | undefined) => readonly string[];

/**
 * The arguments with which the executor does a build, but those of its context. Credentials are never among them, nor is a flag that the executor does not
 * have, unless somebody has asked for it and for `allowUnknownFlags`.
 */
export function executorArguments(request: BuildRequest, plan: ExecutorPlan): readonly string[] {
  const { executor, build, furtherFlags } = plan;
  const own: WriteFlag = (name, value) => writeFlag(flagName(name, executor), value);
  const asked: WriteFlag = (name, value) =>
    writeFlag(flagName(name, executor) ?? (build.allowUnknownFlags === true ? name : undefined), value);
  return [
    ...request.tags.flatMap((tag) => own("destination", tag)),
    ...outputArguments(request.outputs, asked),
    ...own("digest-file", "/dev/termination-log"),
    ...own("log-format", "json"),
    ...own("force", null),
    ...own("verbosity", build.verbosity ?? "info"),
    ...own("snapshot-mode", build.snapshotMode ?? "full"),
    ...asked("use-new-run", build.useNewRun),
    ...asked("single-snapshot", build.singleSnapshot),
    ...asked("reproducible", build.reproducible),
    ...asked("cleanup", build.cleanup),
    ...asked("target", request.target),
    // Without this flag an executor builds for its node, which is one of that platform.
    ...own("custom-platform", request.platforms[0]),
    ...named(asked, "build-arg", request.buildArgs),
    ...named(asked, "label", request.labels),
    ...cacheArguments(request, build, asked),
    ...registryArguments(plan, asked),
    // Some nodes mount it into every container.
    ...own("ignore-path", "/product_uuid"),
    ...retries(furtherFlags, own),
    ...furtherFlags,
  ];
}

function writeFlag(name: string | undefined, value: Parameters<WriteFlag>[1]): readonly string[] {
  if (name === undefined || value === undefined) return [];
  return [value === null ? `--${name}` : `--${name}=${String(value)}`];
}

function named(write: WriteFlag, flag: string, values: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => write(flag, `${name}=${value}`));
}

/** The repository that layers are kept in, if they are. */
export function cacheRepository(
  request: Pick<BuildRequest, "tags" | "noCache">,
  { cache }: KanikoBuildOptions,
): string | undefined {
  if (request.noCache === true || cache?.enabled === false) return undefined;
  const [tag] = request.tags;
  if (cache?.repository !== undefined || tag === undefined) return cache?.repository;
  const { registry, repository } = parseImageReference(tag);
  return `${formatImageReference({ registry, repository })}/cache`;
}

function cacheArguments(request: BuildRequest, build: KanikoBuildOptions, write: WriteFlag): readonly string[] {
  const repository = cacheRepository(request, build);
  if (repository === undefined) return write("cache", false);
  const { ttl, copyLayers, runLayers, compressed, directory } = build.cache ?? {};
  return [
    ...write("cache", true),
    ...write("cache-repo", repository),
    ...write("cache-ttl", ttl),
    ...write("cache-copy-layers", copyLayers),
    ...write("cache-run-layers", runLayers),
    ...write("compressed-caching", compressed),
    ...write("cache-dir", directory),
  ];
}

function registryArguments({ options }: ExecutorPlan, write: WriteFlag): readonly string[] {
  const { registries, insecure, skipTlsVerify, registryMirrors } = options;
  const hosts = Object.entries(registries);
  return [
    ...directed(write, "insecure", insecure),
    ...directed(write, "skip-tls-verify", skipTlsVerify),
    ...hosts.flatMap(([host, { http }]) => (http === true ? write("insecure-registry", host) : [])),
    ...hosts.flatMap(([host, { insecure: unchecked }]) =>
      unchecked === true ? write("skip-tls-verify-registry", host) : [],
    ),
    ...hosts.flatMap(([host, { ca }], index) =>
      ca === undefined ? [] : write("registry-certificate", `${host}=${filesFolder}/${certificateFile(index)}`),
    ),
    ...registryMirrors.flatMap((mirror) => write("registry-mirror", mirror)),
  ];
}

/** The name of the file with a registry's certificates, by the registry's position among the options. */
export function certificateFile(index: number): string {
  return `ca-${index}.pem`;
}

function directed(write: WriteFlag, flag: string, where: boolean | readonly ("push" | "pull")[]): readonly string[] {
  const applies = (direction: "push" | "pull"): boolean =>
    where === true || (where !== false && where.includes(direction));
  return [...(applies("push") ? write(flag, null) : []), ...(applies("pull") ? write(`${flag}-pull`, null) : [])];
}

/** A registry that is busy for a moment must not cost a whole build. */
function retries(further: readonly string[], write: WriteFlag): readonly string[] {
  return ["push-retry", "image-download-retry"].flatMap((name) =>
    further.some((flag) => flag.startsWith(`--${name}=`)) ? [] : write(name, 2),
  );
}
