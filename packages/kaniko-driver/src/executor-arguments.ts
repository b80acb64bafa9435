import type { BuildRequest } from "@slipway/core";
import { formatImageReference, parseImageReference } from "@slipway/registry-client";

import { flagKind } from "./executor-flags.ts";
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

/** The arguments with which the executor does a build, but those of its context. Credentials are never among them. */
export function executorArguments(request: BuildRequest, plan: ExecutorPlan): readonly string[] {
  const { executor, build, furtherFlags } = plan;
  const has = (name: string): boolean => flagKind(name, executor) !== undefined;
  const optional = (name: string, value: string | number | boolean | undefined): readonly string[] =>
    value === undefined || !has(name) ? [] : [`--${name}=${String(value)}`];
  return [
    ...request.tags.map((tag) => `--destination=${tag}`),
    ...outputArguments(request.outputs),
    "--digest-file=/dev/termination-log",
    "--log-format=json",
    "--force",
    `--verbosity=${build.verbosity ?? "info"}`,
    ...(has("snapshot-mode") ? [`--snapshot-mode=${build.snapshotMode ?? "full"}`] : []),
    ...optional("use-new-run", build.useNewRun),
    ...optional("single-snapshot", build.singleSnapshot),
    ...optional("reproducible", build.reproducible),
    ...optional("cleanup", build.cleanup),
    ...optional("target", request.target),
    ...optional("custom-platform", request.platforms[0]),
    ...named("build-arg", request.buildArgs),
    ...named("label", request.labels),
    ...cacheArguments(request, build, optional),
    ...registryArguments(plan),
    // Some nodes mount it into every container.
    ...optional("ignore-path", "/product_uuid"),
    ...retries(furtherFlags, optional),
    ...furtherFlags,
  ];
}

type Optional = (name: string, value: string | number | boolean | undefined) => readonly string[];

function named(flag: string, values: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(values).map(([name, value]) => `--${flag}=${name}=${value}`);
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

function cacheArguments(request: BuildRequest, build: KanikoBuildOptions, optional: Optional): readonly string[] {
  const repository = cacheRepository(request, build);
  if (repository === undefined) return ["--cache=false"];
  const { ttl, copyLayers, runLayers, compressed, directory } = build.cache ?? {};
  return [
    "--cache=true",
    `--cache-repo=${repository}`,
    ...optional("cache-ttl", ttl),
    ...optional("cache-copy-layers", copyLayers),
    ...optional("cache-run-layers", runLayers),
    ...optional("compressed-caching", compressed),
    ...optional("cache-dir", directory),
  ];
}

function registryArguments({ options }: ExecutorPlan): readonly string[] {
  const { registries, insecure, skipTlsVerify, registryMirrors } = options;
  const hosts = Object.entries(registries);
  return [
    ...directed("insecure", insecure),
    ...directed("skip-tls-verify", skipTlsVerify),
    ...hosts.flatMap(([host, { http }]) => (http === true ? [`--insecure-registry=${host}`] : [])),
    ...hosts.flatMap(([host, { insecure: unchecked }]) =>
      unchecked === true ? [`--skip-tls-verify-registry=${host}`] : [],
    ),
    ...hosts.flatMap(([host, { ca }], index) =>
      ca === undefined ? [] : [`--registry-certificate=${host}=${filesFolder}/${certificateFile(index)}`],
    ),
    ...registryMirrors.map((mirror) => `--registry-mirror=${mirror}`),
  ];
}

/** The name of the file with a registry's certificates, by the registry's position among the options. */
export function certificateFile(index: number): string {
  return `ca-${index}.pem`;
}

function directed(flag: string, where: boolean | readonly ("push" | "pull")[]): readonly string[] {
  const applies = (direction: "push" | "pull"): boolean =>
    where === true || (where !== false && where.includes(direction));
  return [...(applies("push") ? [`--${flag}`] : []), ...(applies("pull") ? [`--${flag}-pull`] : [])];
}

/** A registry that is busy for a moment must not cost a whole build. */
function retries(further: readonly string[], optional: Optional): readonly string[] {
  return ["push-retry", "image-download-retry"].flatMap((name) =>
    further.some((flag) => flag.startsWith(`--${name}=`)) ? [] : optional(name, 2),
  );
}
