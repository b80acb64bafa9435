import { BuilderError } from "@slipway/core/errors";

import type { RegistryClient } from "../registry-client.ts";
import type { DestinationName } from "./copy-options.ts";
import type { ImageGraph, ImageNode } from "./image-graph.ts";
import { blobsOf, orderedNodes } from "./image-graph.ts";
import { createConcurrencyLimit } from "../request-limits.ts";
import { inParallel, parallelRequests } from "./in-parallel.ts";
import type { ContentDescriptor } from "./image-content.ts";

/** What a destination lacks, as far as it has been asked. */
export interface DestinationPlan {
  /** Manifests and indexes, in the order in which they can be pushed. */
  readonly nodes: readonly ImageNode[];
  readonly blobs: readonly ContentDescriptor[];
  /** Tags that point elsewhere, or nowhere. */
  readonly tags: readonly string[];
}

/** Of a destination that lacks nothing. */
export const emptyPlan: DestinationPlan = { nodes: [], blobs: [], tags: [] };

/** What the tags of a destination stand for: digests, or nothing. */
export type AskedTags = ReadonlyMap<string, string | undefined>;

/** Asks a destination what its tags stand for. */
export async function askForTags(
  client: RegistryClient,
  { registry, repository, tags }: DestinationName,
  signal: AbortSignal,
): Promise<AskedTags> {
  const asked = await inParallel(tags, parallelRequests, async (tag) => {
    const found = await unlessHidden(client.headManifest({ registry, repository, tag }, { signal, direct: true }));
    return [tag, found?.digest] as const;
  });
  return new Map(asked);
}

/**
 * Asks a destination what of an image it has. A manifest that is there is taken as proof of all that it names.
 *
 * @param starts - What is asked for first, and then what is below it.
 * @param known - Digests of manifests that are there.
 */
export async function planDestination(
  client: RegistryClient,
  { registry, repository }: DestinationName,
  graph: ImageGraph,
  { starts, known }: { readonly starts: readonly ImageNode[]; readonly known: ReadonlySet<string | undefined> },
  signal: AbortSignal,
): Promise<Omit<DestinationPlan, "tags">> {
  const missing = await findMissing(starts, async ({ digest }) => {
    if (known.has(digest)) return true;
    const found = await unlessHidden(client.headManifest({ registry, repository, digest }, { signal, direct: true }));
    return found !== undefined;
  });
  const nodes = orderedNodes(graph).filter(({ digest }) => missing.has(digest));
  return { nodes, blobs: blobsOf(nodes) };
}

/** A blob that a destination has been asked for. */
export interface AskedBlob {
  readonly blob: ContentDescriptor;
  readonly isMissing: Promise<boolean>;
}

/** Asks a destination for blobs, the largest first, as they are sent: it can be on its way before the last was asked for. By digest. */
export function askForBlobs(
  client: RegistryClient,
  repository: string,
  blobs: readonly ContentDescriptor[],
  signal: AbortSignal,
): ReadonlyMap<string, AskedBlob> {
  const limit = createConcurrencyLimit(parallelRequests);
  const ask = async ({ digest }: ContentDescriptor): Promise<boolean> =>
    (await unlessHidden(client.headBlob(repository, digest, { signal, direct: true }))) === undefined;
  const bySize = blobs.toSorted((first, second) => second.sizeBytes - first.sizeBytes);
  const asked = bySize.map((blob) => ({ blob, isMissing: limit.run(() => ask(blob)) }));
  // Whoever wants the blob learns of it; there may be nobody any more.
  for (const { isMissing } of asked) isMissing.catch(() => undefined);
  return new Map(asked.map((each) => [each.blob.digest, each]));
}

/** A plan of which a blob turned out to be there. */
export function withoutBlob(plan: DestinationPlan, digest: string): DestinationPlan {
  return { ...plan, blobs: plan.blobs.filter((blob) => blob.digest !== digest) };
}

/** Digests of what is not there, level by level: of what is there nothing is asked further. */
async function findMissing(
  starts: readonly ImageNode[],
  isThere: (node: ImageNode) => Promise<boolean>,
): Promise<ReadonlySet<string>> {
  const missing = new Set<string>();
  const visited = new Set<string>();
  for (let level = starts; level.length > 0;) {
    const asked = level.filter(({ digest }) => !visited.has(digest) && visited.add(digest));
    const there = await inParallel(asked, parallelRequests, isThere);
    const absent = asked.filter((_, index) => there[index] !== true);
    for (const { digest } of absent) missing.add(digest);
    level = absent.flatMap(({ children }) => children);
  }
  return missing;
}

/** What a destination lacks beside what was known before. */
export function extendPlan(first: DestinationPlan, second: Omit<DestinationPlan, "tags">): DestinationPlan {
  const unique = <Item extends { readonly digest: string }>(items: readonly Item[]): readonly Item[] => [
    ...new Map(items.map((item) => [item.digest, item])).values(),
  ];
  return {
    nodes: unique([...first.nodes, ...second.nodes]),
    blobs: unique([...first.blobs, ...second.blobs]),
    tags: first.tags,
  };
}

/** A registry may hide a repository that does not exist yet behind a refusal. Whether one may push shows when one does. */
async function unlessHidden<Value>(asked: Promise<Value | undefined>): Promise<Value | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (
      BuilderError.isInstance(error) &&
      (error.code === "REGISTRY_UNAUTHORIZED" || error.code === "REPOSITORY_NOT_FOUND")
    )
      return undefined;
    throw error;
  }
}
