import type { ImageReference } from "../image-reference.ts";
import type { Destination } from "./destination.ts";
import type { ImageGraph, ImageNode } from "./image-graph.ts";
import { levelsOf } from "./image-graph.ts";
import { inParallel } from "./in-parallel.ts";

const parallelRequests = 4;

/** Pushes the manifests that a destination lacks by their digests, children before their parents, then what refers to them. */
export async function pushManifests(destination: Destination, graph: ImageGraph, signal: AbortSignal): Promise<void> {
  const push = (node: ImageNode): Promise<void> =>
    putNode(destination, { ...repositoryOf(destination), digest: node.digest }, node, signal);
  const referring = new Set(graph.referrers);
  for (const level of levelsOf(destination.plan.nodes.filter((node) => !referring.has(node))))
    await inParallel(level, parallelRequests, push);
  // One after the other: where the registry keeps no list of referrers, each is added to the same index.
  for (const node of destination.plan.nodes.filter((node) => referring.has(node))) await push(node);
  for (const node of await unlistedReferrers(destination, graph, signal)) await push(node);
}

/** Referrers that are there and not listed: a copy that was cut off between the one and the other has left them. */
async function unlistedReferrers(
  { client, plan, ...destination }: Destination,
  { referrers }: ImageGraph,
  signal: AbortSignal,
): Promise<readonly ImageNode[]> {
  const there = referrers.filter((node) => !plan.nodes.includes(node));
  const unlisted = [...Map.groupBy(there, ({ content }) => content.subject ?? "")].map(async ([digest, nodes]) => {
    const listed = await client.listReferrers({ ...repositoryOf(destination), digest }, { signal });
    return nodes.filter((node) => !listed.some((referrer) => referrer.digest === node.digest));
  });
  return (await Promise.all(unlisted)).flat();
}

/** Points the tags that the plan names to the image. */
export async function pushTags(destination: Destination, root: ImageNode, signal: AbortSignal): Promise<void> {
  for (const tag of destination.plan.tags)
    await putNode(destination, { ...repositoryOf(destination), tag }, root, signal);
}

async function putNode(
  { client }: Destination,
  reference: ImageReference,
  { mediaType, bytes }: ImageNode,
  signal: AbortSignal,
): Promise<void> {
  await client.putManifest(reference, { mediaType, bytes }, { signal });
}

function repositoryOf({ registry, repository }: Pick<Destination, "registry" | "repository">): ImageReference {
  return { registry, repository };
}
