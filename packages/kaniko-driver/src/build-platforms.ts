import {
  BuilderError,
  type BuildRequest,
  type DriverBuildResult,
  type DriverCall,
  type DriverEvent,
} from "@slipway/core";
import { formatImageReference, parseImageReference } from "@slipway/registry-client";

import type { FoldedBuild } from "./build-plan.ts";
import { pushIndex } from "./image-index.ts";
import type { ClientOf } from "./verify-pushed.ts";

/** What a build has pushed, while its pod is still there. */
export interface PushedImage {
  readonly digest: string;
  /** As this build has reached each registry. */
  readonly clientOf: ClientOf;
}

/** Builds for one platform, and calls back before its pod is removed. Resolves with the digest. */
export type BuildOne = (
  folded: FoldedBuild,
  call: DriverCall,
  onPushed?: (image: PushedImage) => Promise<void>,
) => Promise<string>;

/** How each platform is built, and how registries are reached once every pod is gone. */
export interface PlatformBuilds {
  readonly buildOne: BuildOne;
  readonly registriesWithoutPod: (call: DriverCall) => Promise<AsyncDisposable & { readonly client: ClientOf }>;
}

const cleanupTimeoutMs = 5000;

/**
 * Builds each platform in a pod of its own, all at once, and merges them into an index under the tags. Each pushes to a tag that only this build has, which
 * is taken away again. The first that fails ends the others, and no tag has moved then.
 */
export async function buildPlatforms(
  folded: FoldedBuild,
  call: DriverCall,
  { buildOne, registriesWithoutPod }: PlatformBuilds,
): Promise<DriverBuildResult> {
  const { request } = folded;
  const stop = new AbortController();
  const signal = AbortSignal.any([call.signal, stop.signal]);
  const { emit } = call;
  const built = request.platforms.map(() => Promise.withResolvers<string>());
  const merged = Promise.withResolvers<string | undefined>();
  const all = Promise.all(built.map(({ promise }) => promise));
  for (const promise of [all, merged.promise]) promise.catch(() => undefined);
  const isPushed = request.outputs.some(({ type }) => type === "push");
  const left = new Set<string>();

  const buildPart = async (platform: string, index: number): Promise<void> => {
    const own = isPushed ? ownTags(request, platform) : [];
    // Nothing goes to the tags of the build then, but they name the repository of its layers.
    const tags = isPushed ? own : request.tags;
    const part = { ...folded, request: { ...request, platforms: [platform], tags } };
    const ofPart = ofPlatform(platform, emit);
    const watched = (event: DriverEvent): void => {
      if (event.type === "pod-phase" && event.phase === "running") for (const tag of own) left.add(tag);
      ofPart(event);
    };
    await buildOne(part, { ...call, signal, emit: watched }, async ({ digest, clientOf }) => {
      built[index]?.resolve(digest);
      let isMerged = false;
      try {
        if (index === 0) merged.resolve(isPushed ? await merge(await all, clientOf) : undefined);
        await merged.promise;
        isMerged = true;
      } finally {
        const kept = await removeTags(own, clientOf, cleanupSignal());
        if (isMerged) for (const [tag, reason] of kept) emit(keptTag(tag, reason));
        // What failed may have failed because this build was stopped: then it is tried again when all pods are gone.
        for (const tag of own) if (isMerged || !kept.has(tag)) left.delete(tag);
      }
    });
  };
  const merge = (digests: readonly string[], clientOf: ClientOf): Promise<string> =>
    pushIndex({ tags: request.tags, manifests: platformsOf(request.platforms, digests) }, clientOf, { signal });

  const parts = request.platforms.map(async (platform, index) => {
    try {
      await buildPart(platform, index);
    } catch (error) {
      built[index]?.reject(error);
      merged.reject(error);
      stop.abort(error);
      throw error;
    }
  });
  // Every pod is gone before this ends.
  await Promise.allSettled(parts);
  if (left.size > 0) await removeLeft([...left], call, registriesWithoutPod);
  call.signal.throwIfAborted();
  const digest = await merged.promise;
  const platforms = platformsOf(request.platforms, await all);
  return digest === undefined ? { platforms } : { digest, platforms };
}

function platformsOf(
  platforms: readonly string[],
  digests: readonly string[],
): readonly { readonly platform: string; readonly digest: string }[] {
  return platforms.map((platform, index) => ({ platform, digest: digests[index] ?? "" }));
}

/** A tag in each repository that no other build has. */
function ownTags({ tags, id }: Pick<BuildRequest, "tags" | "id">, platform: string): readonly string[] {
  const repositories = tags.map((tag) => {
    const { registry, repository } = parseImageReference(tag);
    return formatImageReference({ registry, repository });
  });
  return [...new Set(repositories)].map((repository) => `${repository}:slipway-${id}-${platform.replaceAll("/", "-")}`);
}

/** Has a time of its own: the call's signal may have fired. */
function cleanupSignal(): AbortSignal {
  return AbortSignal.timeout(cleanupTimeoutMs);
}

/** Takes tags away whose images are in the index, or in none. Resolves with those that stay, and why. */
async function removeTags(
  tags: readonly string[],
  clientOf: ClientOf,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const kept = new Map<string, string>();
  await Promise.all(
    tags.map(async (tag) => {
      const { registry } = parseImageReference(tag);
      try {
        await clientOf(registry).deleteManifest(tag, { signal });
      } catch (error) {
        kept.set(tag, BuilderError.isInstance(error) ? error.code : String(error));
      }
    }),
  );
  return kept;
}

function keptTag(tag: string, reason: string): DriverEvent {
  const message = `The tag ${tag}, which one platform was pushed to, could not be taken away (${reason}). It does no harm; the registry may let nobody delete.`;
  return { type: "warning", message };
}

/** What was stopped between its push and its end has left a tag, which may be there or not. */
async function removeLeft(
  tags: readonly string[],
  call: DriverCall,
  registriesWithoutPod: PlatformBuilds["registriesWithoutPod"],
): Promise<void> {
  const signal = cleanupSignal();
  try {
    await using registries = await registriesWithoutPod({ ...call, signal });
    const kept = await removeTags(tags, (registry) => registries.client(registry), signal);
    for (const [tag, reason] of kept) call.logger.debug("A tag of a stopped build may be left.", { tag, reason });
  } catch (error) {
    call.logger.debug("Tags of a stopped build may be left.", { tags, error });
  }
}

/** Steps and contexts of platforms that are built at once have names of their own. */
function ofPlatform(platform: string, emit: (event: DriverEvent) => void): (event: DriverEvent) => void {
  return (event) => {
    if (event.type === "step-start") emit({ ...event, step: `${platform} ${event.step}`, platform });
    else if (event.type === "step-log" || event.type === "step-progress" || event.type === "step-end")
      emit({ ...event, step: `${platform} ${event.step}` });
    else if (event.type === "context-progress") emit({ ...event, context: `${event.context} ${platform}` });
    else emit(event);
  };
}
