import { askGate, BuilderError, needsVersionTag, publishFailed, repositoryOf, unlessAborted } from "@slipway/core";
import type { AnyBuilderError, DriverCall, PublishOptions, PublishResult } from "@slipway/core";

import { choosePlatforms, planDestinations } from "./fake-publish-plan.ts";
import type { FakeDestination, FakeImage, FakeRegistries, NamedDestination } from "./fake-publish-plan.ts";
import { registryOf, tagOf } from "./image-names.ts";
import { servedDigest } from "./served-digest.ts";

/** What publishing takes besides what is asked for. */
export interface FakePublishing {
  readonly registries: FakeRegistries;
  /** Finds the tag for destinations that have none: that of the image with this digest. */
  readonly findVersionTag: (digest: string) => Promise<string>;
  /** Asks for the credentials of a repository, by a name of an image in it. */
  readonly authorize: (reference: string, action: "pull" | "push") => Promise<void>;
  /** Called before a repository gets its image; throws why it does not. */
  readonly beforePush: BeforePush | undefined;
}

/** Called with a destination before its repository gets an image; the signal fires when nobody waits for it any more. */
export type BeforePush = (destination: string, call: Pick<DriverCall, "signal">) => void | Promise<void>;

type PublishCall = Pick<DriverCall, "signal" | "emit">;

/**
 * Publishes within fake registries as a real driver does it: the image comes first, then `beforeTag` is asked, then tags move. A destination that fails
 * does not stop the others. `referrers` is all the same: what is known of an image is known wherever it is.
 *
 * @throws `REGISTRY_REFUSED` for a source that is not there, `INVALID_OPTIONS`, `PUBLISH_REFUSED`; what keychains and `beforePush` throw
 */
export async function publishFake(
  publishing: FakePublishing,
  options: PublishOptions,
  call: PublishCall,
): Promise<PublishResult> {
  const { registries, findVersionTag, authorize } = publishing;
  const { source } = options;
  await authorize(source, "pull");
  const digest = servedDigest(registries.images, source);
  if (digest === undefined) throw sourceMissing(source);
  const named = await nameDestinations(options, () => findVersionTag(digest));
  const platforms = registries.contents.get(digest)?.platforms ?? [];
  const image = choosePlatforms(source, { digest, platforms }, options.platforms);
  const destinations = planDestinations(registries, source, image, named);
  const failures = new Map<FakeDestination, AnyBuilderError>();
  const forEach: ForEachDestination = async (work) => {
    const alive = destinations.filter((destination) => !failures.has(destination));
    await Promise.all(
      alive.map(async (destination) => {
        if (call.signal.aborted) return;
        await work(destination).catch((error: unknown) => failures.set(destination, BuilderError.from(error)));
      }),
    );
    call.signal.throwIfAborted();
  };
  const outcomes = () => destinations.map((destination) => ({ ...destination, error: failures.get(destination) }));
  await forEach(({ names: [name] }) => authorize(name, "push"));
  if (options.dryRun !== true) {
    await putImage(publishing, image, forEach, call);
    const gated = outcomes().map((outcome) => ({ ...outcome, isMoving: outcome.movingTags.length > 0 }));
    await askGate(options.beforeTag, { ...image, destinations: gated }, call.signal);
    await forEach(async ({ movingTags }) => movingTags.forEach((tag) => registries.images.set(tag, image.digest)));
  }
  const error = publishFailed(source, outcomes());
  if (error !== undefined) throw error;
  const sum = (bytesOf: (destination: FakeDestination) => number) =>
    destinations.reduce((total, destination) => total + bytesOf(destination), 0);
  return {
    digest: image.digest,
    references: named.map(({ name }) => `${repositoryOf(name)}@${image.digest}`),
    sentBytes: sum(({ sentBytes }) => sentBytes),
    mountedBytes: sum(({ mountedBytes }) => mountedBytes),
    skippedBytes: sum(({ skippedBytes }) => skippedBytes),
  };
}

/** Does something for every destination that has not failed yet, at once. What fails is noted. */
type ForEachDestination = (work: (destination: FakeDestination) => Promise<void>) => Promise<void>;

async function nameDestinations(
  options: PublishOptions,
  findVersionTag: () => Promise<string>,
): Promise<readonly NamedDestination[]> {
  const version = needsVersionTag(options) ? await findVersionTag() : (options.versionTag ?? "");
  return options.destinations.map((name) => ({ name, tag: tagOf(name) ?? version }));
}

async function putImage(
  { registries: { images, contents }, beforePush }: FakePublishing,
  { digest, platforms }: FakeImage,
  forEach: ForEachDestination,
  { signal, emit }: PublishCall,
): Promise<void> {
  if (!contents.has(digest)) contents.set(digest, { platforms, identities: [] });
  await forEach(async ({ reference, names: [name], sentBytes }) => {
    await unlessAborted(Promise.resolve(beforePush?.(name, { signal })), signal);
    images.set(reference, digest);
    emit({ type: "push-progress", reference: name, sentBytes, totalBytes: sentBytes });
  });
}

function sourceMissing(source: string): BuilderError<"REGISTRY_REFUSED"> {
  return new BuilderError({
    code: "REGISTRY_REFUSED",
    message: `The image ${source} does not exist. Build it first.`,
    details: { registry: registryOf(source), status: 404, diagnostics: ["MANIFEST_UNKNOWN"], triedCredentials: [] },
  });
}
