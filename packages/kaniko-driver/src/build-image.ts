import type { Cluster } from "@slipway/cluster";
import { BuilderError, type DriverBuildResult, type DriverCall } from "@slipway/core";
import { parseImageReference } from "@slipway/registry-client";

import { repositoryName, type AcceptedCredentials } from "./accepted-credentials.ts";
import { foldBuild, planBuild, type FoldedBuild, type KanikoBuildRequest } from "./build-plan.ts";
import { buildPlatforms, type BuildOne, type PushedImage } from "./build-platforms.ts";
import { helperContainer } from "./build-pod.ts";
import { BuildRegistries, dialFromPod, type RegistryAccessPlan } from "./build-registries.ts";
import { deliverArchives } from "./image-archives.ts";
import type { ResolvedKanikoDriverOptions } from "./kaniko-options.ts";
import { askForPull } from "./pull-check.ts";
import { askFromPod, askWithoutPod, type PushAnswers, pushTargets } from "./push-check.ts";
import { withoutCachePush } from "./refused-cache.ts";
import { registriesWithoutPod, registryAccess } from "./registries-without-pod.ts";
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
  const access = await registryAccess(cluster, folded.options, call);
  await using direct = registriesWithoutPod(cluster, access);
  let answers: Promise<PushAnswers> | undefined;
  const site: BuildSite = {
    ...{ cluster, access, direct },
    // Once for all platforms, before the first of them has a pod.
    ask: () => (answers ??= askWithoutPod({ folded, registries: direct, call }, cluster.namespace)),
  };
  const buildOne: BuildOne = async (part, partCall, onPushed) => {
    try {
      return await buildInPod(site, part, partCall, onPushed);
    } catch (error) {
      throw withPlatform(error, part.request.platforms[0]);
    }
  };
  const { platforms } = folded.request;
  if (platforms.length > 1)
    return await buildPlatforms(folded, call, {
      buildOne,
      registriesWithoutPod: async (late) =>
        registriesWithoutPod(cluster, await registryAccess(cluster, folded.options, late)),
    });
  const digest = await buildOne(folded, call);
  return { digest, platforms: platforms.map((platform) => ({ platform, digest })) };
}

/** What the pods of a build have in common. */
interface BuildSite {
  readonly cluster: Cluster;
  readonly access: RegistryAccessPlan;
  readonly direct: BuildRegistries;
  /** Whether the build may push. */
  readonly ask: () => Promise<PushAnswers>;
}

async function buildInPod(
  { cluster, access, direct, ask }: BuildSite,
  folded: FoldedBuild,
  call: DriverCall,
  onPushed?: (image: PushedImage) => Promise<void>,
): Promise<string> {
  const { options, request } = folded;
  const planned = await planBuild(folded, call.signal);
  for (const message of planned.warnings) call.emit({ type: "warning", message });
  const { inside, unasked, accepted, isCacheRefused } = await ask();
  const plan = isCacheRefused ? withoutCachePush(planned, folded) : planned;
  const questions = { registries: direct, access, namespace: cluster.namespace, call };
  const readable = request.preflight ? await askForPull(plan.baseImages, questions) : [];
  // That anybody may read a repository says nothing about who may write to it.
  const written = new Set(pushTargets(folded).map(repositoryName));
  const readOnly = [...readable].filter(([name, who]) => who !== "anonymous" || !written.has(name));
  const dockerConfig = await buildDockerConfig(plan.references, access, new Map([...readOnly, ...accepted]));
  const files = { dockerConfig, files: plan.files };
  const withHelper = inside.size > 0 || plan.archives.length > 0;
  await using context = plan.workspace && (await syncToWorkspace(cluster, options, plan.workspace, request, call));
  const build = new RunningBuild({ cluster, options, request, plan, files, withHelper, context }, call);
  const ended = new AbortController();
  try {
    const pod = await build.start();
    await using within = new BuildRegistries(access, () => dialFromPod(cluster, pod));
    const signal = AbortSignal.any([call.signal, ended.signal]);
    const allowed = askFromPod(unasked, { folded, registries: within, call: { ...call, signal } });
    allowed.catch(() => undefined);
    const digest = await build.finish(allowed);
    const clientOf: ClientOf = (registry) => (inside.has(registry) ? within : direct).client(registry);
    await verifyPushed(plan.pushed, digest, { clientOf, onlyInPod: direct.onlyInPod.bind(direct) }, call);
    await deliverArchives(plan.archives, { cluster, pod, container: helperContainer }, call);
    await onPushed?.({ digest, clientOf });
    return digest;
  } finally {
    ended.abort();
    await build.remove();
  }
}

/** A pod without a node is a matter of the platform, if one was asked for. */
function withPlatform(error: unknown, platform: string | undefined): unknown {
  if (platform === undefined || !BuilderError.isInstance(error) || error.code !== "UNSCHEDULABLE") return error;
  const { code, message, details } = error;
  return new BuilderError({ code, message: `No node builds for ${platform}. ${message}`, details, cause: error });
}

/** Credentials for exactly the registries of this build: what they have accepted, or else the first candidates. */
async function buildDockerConfig(
  references: readonly string[],
  { credentials: keychain, keychainCall }: RegistryAccessPlan,
  known: AcceptedCredentials,
): Promise<string | undefined> {
  const accepted = (reference: string) => known.get(repositoryName(parseImageReference(reference)));
  const { kanikoDockerConfig } = await import("@slipway/secret-merging");
  const { config, warnings } = await kanikoDockerConfig(
    { keychain, references, actions: ["pull", "push"], accepted },
    keychainCall,
  );
  for (const warning of warnings) keychainCall.warn?.(warning);
  const isEmpty = Object.keys(config.auths).length === 0 && config.credHelpers === undefined;
  return isEmpty ? undefined : JSON.stringify(config);
}
