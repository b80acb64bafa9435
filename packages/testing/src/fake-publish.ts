import { BuilderError, publishRefused } from "@slipway/core";
import type { DriverCall, PublishOptions, PublishResult } from "@slipway/core";

import { choosePlatforms, planDestinations } from "./fake-publish-plan.ts";
import type { FakeDestination, FakeImage, FakeRegistries, NamedDestination } from "./fake-publish-plan.ts";
import { registryOf, repositoryOf, tagOf } from "./image-names.ts";

/** Finds the tag for destinations that have none: that of the image with this digest. */
export type FindVersionTag = (digest: string) => Promise<string>;

type PublishCall = Pick<DriverCall, "signal" | "emit">;

/**
 * Publishes within fake registries as a real driver does it: the image comes first, then `beforeTag` is asked, then tags move.
 *
 * @throws `REGISTRY_REFUSED` for a source that is not there, `INVALID_OPTIONS`, `PUBLISH_REFUSED`
 */
export async function publishFake(
  registries: FakeRegistries,
  options: PublishOptions,
  findVersionTag: FindVersionTag,
  call: PublishCall,
): Promise<PublishResult> {
  const { source } = options;
  const digest = registries.images.get(source);
  if (digest === undefined) throw sourceMissing(source);
  const named = await nameDestinations(options, () => findVersionTag(digest));
  const platforms = registries.contents.get(digest)?.platforms ?? [];
  const image = choosePlatforms(source, { digest, platforms }, options.platforms);
  const destinations = planDestinations(registries, source, image, named);
  if (options.dryRun !== true) await carryOut(registries, image, destinations, options.beforeTag, call);
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

async function nameDestinations(
  { destinations, versionTag }: PublishOptions,
  findVersionTag: () => Promise<string>,
): Promise<readonly NamedDestination[]> {
  const isMissing = versionTag === undefined && destinations.some((name) => tagOf(name) === undefined);
  const version = isMissing ? await findVersionTag() : (versionTag ?? "");
  return destinations.map((name) => ({ name, tag: tagOf(name) ?? version }));
}

async function carryOut(
  { images, contents }: FakeRegistries,
  image: FakeImage,
  destinations: readonly FakeDestination[],
  beforeTag: PublishOptions["beforeTag"],
  { signal, emit }: PublishCall,
): Promise<void> {
  signal.throwIfAborted();
  const { digest, platforms } = image;
  if (!contents.has(digest)) contents.set(digest, { platforms, identities: [] });
  for (const { reference, name, sentBytes } of destinations) {
    images.set(reference, digest);
    emit({ type: "push-progress", reference: name, sentBytes, totalBytes: sentBytes });
  }
  await askGate(image, destinations, beforeTag, signal);
  for (const tag of destinations.flatMap(({ movingTags }) => movingTags)) images.set(tag, digest);
}

/** Where no tag would move, there is nothing to refuse. */
async function askGate(
  { digest, platforms }: FakeImage,
  destinations: readonly FakeDestination[],
  beforeTag: PublishOptions["beforeTag"],
  signal: AbortSignal,
): Promise<void> {
  const referencesOf = (move: boolean) =>
    destinations.filter(({ movingTags }) => movingTags.length > 0 === move).map(({ reference }) => reference);
  const references = referencesOf(true);
  if (beforeTag === undefined || references.length === 0) return;
  try {
    await beforeTag({ digest, references, unchanged: referencesOf(false), failed: [], platforms }, { signal });
  } catch (error) {
    if (signal.aborted || (BuilderError.isInstance(error) && error.code === "PUBLISH_REFUSED")) throw error;
    throw publishRefused(references[0] ?? digest, error);
  }
  signal.throwIfAborted();
}

function sourceMissing(source: string): BuilderError<"REGISTRY_REFUSED"> {
  return new BuilderError({
    code: "REGISTRY_REFUSED",
    message: `The image ${source} does not exist. Build it first.`,
    details: { registry: registryOf(source), status: 404, diagnostics: ["MANIFEST_UNKNOWN"], triedCredentials: [] },
  });
}
