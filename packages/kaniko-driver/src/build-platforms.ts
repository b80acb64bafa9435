import { BuilderError, type DriverBuildResult, type DriverCall, type DriverEvent } from "@slipway/core";
import { formatImageReference, parseImageReference } from "@slipway/registry-client";

import type { FoldedBuild } from "./build-plan.ts";
import { pushIndex } from "./image-index.ts";
import type { RegistriesOf } from "./verify-pushed.ts";

/** What a build has pushed, while its pod is still there. */
export interface PushedImage {
  readonly digest: string;
  /** How each registry is reached. */
  readonly registriesOf: RegistriesOf;
}

/** Builds for one platform, and calls back before its pod is removed. Resolves with the digest. */
export type BuildOne = (
  folded: FoldedBuild,
  call: DriverCall,
  onPushed?: (image: PushedImage) => Promise<void>,
) => Promise<string>;

const cleanupTimeoutMs = 10_000;

/**
 * Builds each platform in a pod of its own, all at once, and merges them into an index under the tags. Each pushes to a tag that only this build has, which
 * is taken away again. The first that fails ends the others, and no tag has moved then.
 */
export async function buildPlatforms(
  folded: FoldedBuild,
  call: DriverCall,
  buildOne: BuildOne,
): Promise<DriverBuildResult> {
  const { request } = folded;
  const stop = new AbortController();
  const signal = AbortSignal.any([call.signal, stop.signal]);
  const emit = onceEach(call.emit);
  const built = request.platforms.map(() => Promise.withResolvers<string>());
  const merged = Promise.withResolvers<string | undefined>();
  const all = Promise.all(built.map(({ promise }) => promise));
  for (const promise of [all, merged.promise]) promise.catch(() => undefined);
  const isPushed = request.outputs.some(({ type }) => type === "push");

  const buildPart = async (platform: string, index: number): Promise<void> => {
    const tags = platformTags(request.tags, platform, request.id);
    const part = { ...folded, request: { ...request, platforms: [platform], tags: isPushed ? tags : [] } };
    await buildOne(part, { ...call, signal, emit: ofPlatform(platform, emit) }, async ({ digest, registriesOf }) => {
      built[index]?.resolve(digest);
      try {
        if (index === 0) merged.resolve(isPushed ? await merge(await all, registriesOf) : undefined);
        await merged.promise;
      } finally {
        if (isPushed) await removeTags(tags, registriesOf, call);
      }
    });
  };
  const merge = (digests: readonly string[], registriesOf: RegistriesOf): Promise<string> =>
    pushIndex({ tags: request.tags, manifests: platformsOf(request.platforms, digests) }, registriesOf, { signal });

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
function platformTags(tags: readonly string[], platform: string, id: string): readonly string[] {
  const repositories = tags.map((tag) => {
    const { registry, repository } = parseImageReference(tag);
    return formatImageReference({ registry, repository });
  });
  return [...new Set(repositories)].map((repository) => `${repository}:slipway-${id}-${platform.replaceAll("/", "-")}`);
}

/** Takes tags away whose images are in the index. Has a time of its own: the call's signal may have fired. */
async function removeTags(tags: readonly string[], registriesOf: RegistriesOf, { emit }: DriverCall): Promise<void> {
  const signal = AbortSignal.timeout(cleanupTimeoutMs);
  await Promise.all(
    tags.map(async (tag) => {
      try {
        await registriesOf(parseImageReference(tag).registry)
          .client(parseImageReference(tag).registry)
          .deleteManifest(tag, { signal });
      } catch (error) {
        const reason = BuilderError.isInstance(error) ? error.code : String(error);
        emit({
          type: "warning",
          message: `The tag ${tag}, which one platform was pushed to, could not be taken away (${reason}). It does no harm; the registry may let nobody delete.`,
        });
      }
    }),
  );
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

/** What holds for every platform is said once. */
function onceEach(emit: (event: DriverEvent) => void): (event: DriverEvent) => void {
  const said = new Set<string>();
  return (event) => {
    if (event.type === "warning") {
      if (said.has(event.message)) return;
      said.add(event.message);
    }
    emit(event);
  };
}
