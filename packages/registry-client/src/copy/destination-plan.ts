import { BuilderError } from "@slipway/core/errors";

import type { RegistryClient } from "../registry-client.ts";
import type { DestinationName } from "./copy-options.ts";
import type { ImageGraph, ImageNode } from "./image-graph.ts";
import { blobsOf, orderedNodes } from "./image-graph.ts";
import { createConcurrencyLimit } from "../request-limits.ts";
import { inParallel } from "./in-parallel.ts";
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

const parallelRequests = 8;

/**
 * Asks a destination what of an image it has. A manifest that is there is taken as proof of all that it names.
 *
 * @param starts - What is asked for first, and then what is below it.
 */
export async function planDestination(
  client: RegistryClient,
  { registry, repository, tags }: DestinationName,
  graph: ImageGraph,
  starts: readonly ImageNode[],
  signal: AbortSignal,
): Promise<DestinationPlan> {
  const stale = inParallel(tags, parallelRequests, async (tag) => {
    const found = await unlessHidden(client.headManifest({ registry, repository, tag }, { signal, direct: true }));
    return found?.digest === graph.root.digest ? [] : [tag];
  });
  const [missing, staleTags] = await Promise.all([
    findMissing(starts, async ({ digest }) => {
      const found = await unlessHidden(client.headManifest({ registry, repository, digest }, { signal, direct: true }));
      return found !== undefined;
    }),
    stale,
  ]);
  const nodes = orderedNodes(graph).filter((node) => missing.has(node));
  return { nodes, blobs: blobsOf(nodes), tags: staleTags.flat() };
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

/** What is not there, level by level: of what is there nothing is asked further. */
async function findMissing(
  starts: readonly ImageNode[],
  isThere: (node: ImageNode) => Promise<boolean>,
): Promise<ReadonlySet<ImageNode>> {
  const missing = new Set<ImageNode>();
  const visited = new Set<string>();
  for (let level = starts; level.length > 0;) {
    const asked = level.filter(({ digest }) => !visited.has(digest) && visited.add(digest));
    const there = await inParallel(asked, parallelRequests, isThere);
    const absent = asked.filter((_, index) => there[index] !== true);
    for (const node of absent) missing.add(node);
    level = absent.flatMap(({ children }) => children);
  }
  return missing;
}

/** What two plans of a destination want together. */
export function joinPlans(first: DestinationPlan, second: DestinationPlan): DestinationPlan {
  const unique = <Item extends { readonly digest: string }>(items: readonly Item[]): readonly Item[] => [
    ...new Map(items.map((item) => [item.digest, item])).values(),
  ];
  return {
    nodes: unique([...first.nodes, ...second.nodes]),
    blobs: unique([...first.blobs, ...second.blobs]),
    tags: second.tags,
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
