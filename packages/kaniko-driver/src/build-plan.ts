import { invalidOptions, type BuildRequest, type OptionIssue } from "@slipway/core";
import { dockerfileImages, formatImageReference, parseImageReference } from "@slipway/registry-client";

import { shadowedTargets } from "./additional-mounts.ts";
import { cacheRepository, certificateFile, dockerfileName, executorArguments } from "./executor-arguments.ts";
import { contextArguments } from "./context-arguments.ts";
import { executorOf, type Executor } from "./executor-version.ts";
import { isTrue, type FoldableOptions } from "./flag-options.ts";
import { foldFlags } from "./fold-flags.ts";
import { imageArchives, type ImageArchive } from "./image-archives.ts";
import { mirroredImages } from "./mirrored-images.ts";
import type { KanikoBuildOptions, ResolvedKanikoDriverOptions } from "./kaniko-options.ts";
import { lackingOptions } from "./lacking-options.ts";
import { stdinProblem, workspaceOf, type ResolvedWorkspace } from "./workspace-options.ts";
import { readDockerfile } from "./read-dockerfile.ts";

/** A request with the options that only kaniko knows. */
export type KanikoBuildRequest = BuildRequest & { readonly kaniko: KanikoBuildOptions };

/** A build with the flags folded into the options that they stand for. */
export interface FoldedBuild {
  readonly request: KanikoBuildRequest;
  readonly options: ResolvedKanikoDriverOptions;
  readonly executor: Executor;
  /** Of the driver and of the build. */
  readonly build: KanikoBuildOptions;
  /** Flags that no option stands for. */
  readonly furtherFlags: readonly string[];
  readonly warnings: readonly string[];
}

/** What a build writes to registries. */
export interface BuildWrites {
  /** Tags that it pushes. */
  readonly pushed: readonly string[];
  /** The repository of its layers, which may only be read. */
  readonly cache:
    | {
        readonly repository: string;
        readonly isWritten: boolean;
        /** Or it is the one beside the first tag. */
        readonly isNamed: boolean;
      }
    | undefined;
}

/** Everything that is known of a build in one pod before the cluster is asked. */
export interface BuildPlan {
  readonly arguments: readonly string[];
  /** Where the context is kept; undefined if it comes in another way. */
  readonly workspace: ResolvedWorkspace | undefined;
  /** Environment that the arguments need. */
  readonly env: Readonly<Record<string, string>>;
  /** Files that the executor reads, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** Tags that it pushes. */
  readonly pushed: readonly string[];
  /** All that it needs credentials for, in full: its tags, its cache, and the images that it reads, as far as the Dockerfile tells. */
  readonly references: readonly string[];
  /** Those of them that it reads, and writes nothing to. */
  readonly baseImages: readonly string[];
  readonly archives: readonly ImageArchive[];
  readonly warnings: readonly string[];
}

/**
 * Reads the flags of a build and of its driver as the options that they stand for. What a build says goes before what the driver was given.
 *
 * @throws BuilderError INVALID_OPTIONS
 */
export function foldBuild(request: KanikoBuildRequest, options: ResolvedKanikoDriverOptions): FoldedBuild {
  const executor = executorOf(options.image, options.executor);
  const { target, buildArgs, labels, platforms } = request;
  const ofDriver = foldFlags({ ...options, target, buildArgs, labels, platforms }, executor);
  const { args, ...own } = request.kaniko;
  const ofBuild = foldFlags({ ...mergeBuildOptions(ofDriver.options, own), args }, executor);
  const issues = [...ofDriver.issues, ...ofBuild.issues];
  if (issues.length > 0) throw invalidOptions("kaniko", issues);
  const { insecure = false, skipTlsVerify = false, registryMirrors = [], registries = {}, ...said } = ofBuild.options;
  // What kaniko's warmer has left there is not looked up again.
  const build = request.pull ? { ...said, cache: { ...said.cache, directory: undefined } } : said;
  const folded = {
    request: {
      ...request,
      target: build.target,
      ...{ buildArgs: build.buildArgs ?? {}, labels: build.labels ?? {}, platforms: build.platforms ?? [] },
    },
    options: { ...options, insecure, skipTlsVerify, registryMirrors, registries },
  };
  refuseUnsupported(folded.request);
  const lacking = lackingOptions({ ...ofBuild.options, context: request.context, outputs: request.outputs }, executor);
  if (lacking.length > 0) throw invalidOptions("build", lacking);
  const warnings = [...ofDriver.warnings, ...ofBuild.warnings, ...optionWarnings(build, folded.options)];
  const furtherFlags = [...ofDriver.further, ...ofBuild.further];
  return { ...folded, executor, build, furtherFlags, warnings: [...new Set(warnings)] };
}

/**
 * Plans a build for at most one platform.
 *
 * @throws BuilderError INVALID_OPTIONS, CONTEXT_INVALID
 */
export async function planBuild(folded: FoldedBuild, signal?: AbortSignal): Promise<BuildPlan> {
  const { request, options } = folded;
  const dockerfile = await readDockerfile(request, signal);
  const { pushed, cache } = writesOf(folded);
  const workspace = request.context.type === "directory" ? workspaceOf(options.workspace, folded.executor) : undefined;
  const unread = request.context.type === "tar" ? stdinProblem(options.image, folded.executor) : undefined;
  if (unread !== undefined)
    throw invalidOptions("build", [{ path: "context", message: `${unread}; give a folder, or use a later one` }]);
  const context = contextArguments(request, workspace !== undefined);
  const { buildArgs } = request;
  const named = inFull(dockerfile === undefined ? [] : await dockerfileImages(dockerfile, { buildArgs }));
  const mirrors = { registryMirrors: options.registryMirrors, flags: folded.furtherFlags };
  const baseImages = [...named, ...mirroredImages(named, mirrors)];
  return {
    workspace,
    arguments: [...context.arguments, ...executorArguments(request, folded)],
    env: context.env,
    files: planFiles(dockerfile, options),
    pushed,
    references: [...inFull([...pushed, ...(cache === undefined ? [] : [cache.repository])]), ...baseImages],
    baseImages,
    archives: imageArchives(request.outputs),
    warnings: shadowedTargets(dockerfile ?? "", options.additionalMounts, buildArgs),
  };
}

/** What a build, in one pod or in several, writes to registries. */
export function writesOf({ request, build, furtherFlags }: FoldedBuild): BuildWrites {
  const repository = cacheRepository(request, build);
  const isNamed = build.cache?.repository !== undefined;
  const isWritten = !furtherFlags.some((flag) => flag.startsWith("--no-push-cache=") && isTrue(flag.slice(16)));
  return {
    pushed: request.outputs.some(({ type }) => type === "push") ? request.tags : [],
    cache: repository === undefined ? undefined : { repository, isWritten, isNamed },
  };
}

/** Each once, with its registry: `alpine` is an image of Docker Hub. */
function inFull(references: readonly string[]): readonly string[] {
  return [...new Set(references.map((reference) => formatImageReference(parseImageReference(reference))))];
}

function optionWarnings(build: KanikoBuildOptions, options: ResolvedKanikoDriverOptions): readonly string[] {
  return [...securityWarnings(options), ...(build.snapshotMode === "time" ? [timeWarning] : [])];
}

const timeWarning =
  'The snapshot mode "time" misses changes that leave the time of a file alone, such as chown: such a change may not be in the image. "full" and "redo" find them.';

/** What a build says goes before what the driver was given, key by key. */
function mergeBuildOptions(driver: FoldableOptions, build: KanikoBuildOptions): FoldableOptions {
  const said = Object.entries(build).filter(([, value]) => value !== undefined);
  return { ...driver, ...Object.fromEntries(said), cache: { ...driver.cache, ...build.cache } };
}

function refuseUnsupported({ outputs, platforms }: BuildRequest): void {
  const problems: OptionIssue[] = [];
  if (outputs.some((output) => output.type === "push" && output.byDigest === true))
    problems.push({
      path: "outputs",
      message: "kaniko cannot push by digest alone; leave byDigest out, and give a tag of its own",
    });
  const other = platforms.find((platform) => !platform.startsWith("linux/"));
  if (other !== undefined)
    problems.push({ path: "platforms", message: `kaniko builds for Linux only, not for ${other}` });
  if (platforms.length > 1 && imageArchives(outputs).length > 0)
    problems.push({
      path: "outputs",
      message: "kaniko writes archives of one platform; build each platform by itself, or push",
    });
  if (problems.length > 0) throw invalidOptions("build", problems);
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
function planFiles(
  dockerfile: string | undefined,
  { registries }: ResolvedKanikoDriverOptions,
): Readonly<Record<string, string>> {
  const certificates = Object.values(registries).flatMap(({ ca }, index) =>
    ca === undefined ? [] : [[certificateFile(index), ca] as const],
  );
  const own = dockerfile === undefined ? {} : { [dockerfileName]: dockerfile, [`${dockerfileName}.dockerignore`]: "" };
  return { ...own, ...Object.fromEntries(certificates) };
}
