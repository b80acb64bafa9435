import { invalidOptions, normalizePlatform, repositoryOf } from "@slipway/core";

import type { FakeCluster, FakeImageContent } from "./fake-cluster.ts";
import { registryOf } from "./image-names.ts";
import { indexDigest } from "./index-digest.ts";

/** What the fake registries serve. */
export type FakeRegistries = Pick<FakeCluster, "images" | "contents">;

/** An image that a fake registry serves. */
export interface FakeImage {
  readonly digest: string;
  readonly platforms: FakeImageContent["platforms"];
}

/** Where an image goes, as it was asked for, and with its tag. */
export interface NamedDestination {
  readonly name: string;
  readonly tag: string;
}

/** What publishing an image does to one repository. */
export interface FakeDestination {
  /** `repository@digest`. */
  readonly reference: string;
  /** What it was asked for as; progress is reported under the first. */
  readonly names: readonly [string, ...string[]];
  /** Tags that point elsewhere or nowhere, as `repository:tag`. */
  readonly movingTags: readonly string[];
  readonly sentBytes: number;
  readonly mountedBytes: number;
  readonly skippedBytes: number;
}

/** Of the one layer that each platform of a fake image has. */
const layerBytes = 1_000_000;

/**
 * What one repository each gets of an image. What it lacks is mounted in the registry of the source, and in those of destinations before it; elsewhere it
 * is sent.
 */
export function planDestinations(
  { images, contents }: FakeRegistries,
  source: string,
  { digest, platforms }: FakeImage,
  destinations: readonly NamedDestination[],
): readonly FakeDestination[] {
  const registries = new Set([registryOf(source)]);
  const layers = layersOf(digest, platforms);
  return [...Map.groupBy(destinations, ({ name }) => repositoryOf(name))].map(([repository, named]) => {
    const there = layersIn({ images, contents }, repository);
    const skippedBytes = layerBytes * layers.filter((layer) => there.has(layer)).length;
    const missingBytes = layerBytes * layers.length - skippedBytes;
    const isMounted = registries.has(registryOf(repository));
    registries.add(registryOf(repository));
    const [first = repository, ...others] = named.map(({ name }) => name);
    const tags = new Set(named.map(({ tag }) => `${repository}:${tag}`));
    return {
      reference: `${repository}@${digest}`,
      names: [first, ...others],
      movingTags: [...tags].filter((tag) => images.get(tag) !== digest),
      sentBytes: isMounted ? 0 : missingBytes,
      mountedBytes: isMounted ? missingBytes : 0,
      skippedBytes,
    };
  });
}

function layersIn({ images, contents }: FakeRegistries, repository: string): ReadonlySet<string> {
  const digests = [...images]
    .filter(([reference]) => repositoryOf(reference) === repository)
    .map(([, digest]) => digest);
  return new Set(digests.flatMap((digest) => layersOf(digest, contents.get(digest)?.platforms ?? [])));
}

/** The layer of a platform goes by the platform's digest, that of an image of which nothing is known by the image's. */
function layersOf(digest: string, platforms: FakeImageContent["platforms"]): readonly string[] {
  return platforms.length === 0 ? [digest] : platforms.map((platform) => platform.digest);
}

/**
 * An image with some of its platforms only. Where one is left out, its index is written anew.
 *
 * @throws `INVALID_OPTIONS` when one of the platforms that are asked for is not there, or none is
 */
export function choosePlatforms(source: string, image: FakeImage, wanted: readonly string[] | undefined): FakeImage {
  if (wanted === undefined) return image;
  if (wanted.length === 0) throw wrongPlatforms("name at least one, or leave the option out");
  const known = image.platforms.map(({ platform }) => normalizePlatform(platform));
  const chosen = new Set(wanted.map(normalizePlatform));
  const missing = wanted.filter((platform) => !known.includes(normalizePlatform(platform)));
  if (missing.length > 0) {
    const has = known.length === 0 ? "says nothing about its platforms" : `has ${known.join(", ")}`;
    throw wrongPlatforms(`${source} ${has}, and ${missing.join(", ")} is asked for`);
  }
  const platforms = image.platforms.filter(({ platform }) => chosen.has(normalizePlatform(platform)));
  return platforms.length === image.platforms.length ? image : { digest: indexDigest(platforms), platforms };
}

function wrongPlatforms(message: string): Error {
  return invalidOptions("publishing", [{ path: "platforms", message }]);
}
