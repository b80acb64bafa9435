import { keychainCall, type Cluster } from "@slipway/cluster";
import { BuilderError, type DriverBuildResult, type DriverCall, type Keychain } from "@slipway/core";
import { parseImageReference } from "@slipway/registry-client";

import { buildKeychain } from "./build-keychain.ts";
import { foldBuild, planBuild, type BuildPlan, type FoldedBuild, type KanikoBuildRequest } from "./build-plan.ts";
import { buildPlatforms, type BuildOne, type PushedImage } from "./build-platforms.ts";
import { helperContainer } from "./build-pod.ts";
import { BuildRegistries, dialFromPod, isClusterName, mayPush, writtenRepositories } from "./build-registries.ts";
import { deliverArchives } from "./image-archives.ts";
import type { ResolvedKanikoDriverOptions } from "./kaniko-options.ts";
import { registriesWithoutPod } from "./registries-without-pod.ts";
import { RunningBuild } from "./running-build.ts";
import { verifyPushed, type ClientOf } from "./verify-pushed.ts";
import { syncToWorkspace } from "./workspace-context.ts";

/** Builds, with a pod for each platform; all of them are gone when this returns or throws. */
export async function buildImage(
  cluster: Cluster,
  options: ResolvedKanikoDriverOptions,
  request: KanikoBuildRequest,
  call: DriverCall,
): Promise<DriverBuildResult> {
  const folded = foldBuild(request, options);
  for (const message of folded.warnings) call.emit({ type: "warning", message });
  const buildOne: BuildOne = async (part, partCall, onPushed) => {
    try {
      return await buildInPod(cluster, part, partCall, onPushed);
    } catch (error) {
      throw withPlatform(error, part.request.platforms[0]);
    }
  };
  const { platforms } = folded.request;
  if (platforms.length > 1)
    return buildPlatforms(folded, call, {
      buildOne,
      registriesWithoutPod: (late) => registriesWithoutPod(cluster, folded.options, late),
    });
  const digest = await buildOne(folded, call);
  return { digest, platforms: platforms.map((platform) => ({ platform, digest })) };
}

async function buildInPod(
  cluster: Cluster,
  folded: FoldedBuild,
  call: DriverCall,
  onPushed?: (image: PushedImage) => Promise<void>,
): Promise<string> {
  const { options, request } = folded;
  const plan = await planBuild(folded, call.signal);
  for (const message of plan.warnings) call.emit({ type: "warning", message });
  const keys = keychainCall(cluster, call);
  const credentials = await buildKeychain(options, call.credentials);
  const access = { options, credentials, keychainCall: keys };
  await using direct = new BuildRegistries(access);
  const inside = await registriesInside(direct, request, plan, call.signal);
  const files = { dockerConfig: await dockerConfig(credentials, plan, keys), files: plan.files };
  const withHelper = inside.size > 0 || plan.archives.length > 0;
  await using context = plan.workspace && (await syncToWorkspace(cluster, options, plan.workspace, request, call));
  const build = new RunningBuild({ cluster, options, request, plan, files, withHelper, context }, call);
  try {
    const pod = await build.start();
    await using within = new BuildRegistries(access, () => dialFromPod(cluster, pod));
    const checks = request.preflight
      ? writtenRepositories(plan.written).filter(({ registry }) => inside.has(registry))
      : [];
    const allowed = Promise.all(checks.map((repository) => mayPush(within, repository, request, call.signal)));
    allowed.catch(() => undefined);
    const digest = await build.finish(allowed);
    const clientOf: ClientOf = (registry) => (inside.has(registry) ? within : direct).client(registry);
    await verifyPushed(plan.pushed, digest, clientOf, call);
    await deliverArchives(plan.archives, { cluster, pod, container: helperContainer }, call);
    await onPushed?.({ digest, clientOf });
    return digest;
  } finally {
    await build.remove();
  }
}

/** A pod without a node is a matter of the platform, if one was asked for. */
function withPlatform(error: unknown, platform: string | undefined): unknown {
  if (platform === undefined || !BuilderError.isInstance(error) || error.code !== "UNSCHEDULABLE") return error;
  const { code, message, details } = error;
  return new BuilderError({ code, message: `No node builds for ${platform}. ${message}`, details, cause: error });
}

/** Credentials for exactly the registries of this build. */
async function dockerConfig(
  keychain: Keychain,
  { written, baseImages }: BuildPlan,
  keys: ReturnType<typeof keychainCall>,
): Promise<string | undefined> {
  const { kanikoDockerConfig } = await import("@slipway/secret-merging");
  const references = [...new Set([...written, ...baseImages])];
  const { config, warnings } = await kanikoDockerConfig({ keychain, references, actions: ["pull", "push"] }, keys);
  for (const warning of warnings) keys.warn?.(warning);
  const isEmpty = Object.keys(config.auths).length === 0 && config.credHelpers === undefined;
  return isEmpty ? undefined : JSON.stringify(config);
}

/** The registries that have to be asked from within the cluster; the others have let this build push, unless nobody wants to know. */
async function registriesInside(
  direct: BuildRegistries,
  request: KanikoBuildRequest,
  { written, pushed }: BuildPlan,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const hosts = pushed.map((tag) => parseImageReference(tag).registry);
  // Then nothing is known of them, but that the pod reaches them.
  if (!request.preflight) return new Set(hosts);
  const inside = new Set(hosts.filter(isClusterName));
  const repositories = writtenRepositories(written).filter(({ registry }) => !isClusterName(registry));
  await Promise.all(
    repositories.map(async (repository) => {
      if (!(await mayPush(direct, repository, request, signal))) inside.add(repository.registry);
    }),
  );
  return inside;
}
