import type { ImageReference } from "../image-reference.ts";
import type { Destination } from "./destination.ts";
import type { ImageGraph, ImageNode } from "./image-graph.ts";
import { levelsOf } from "./image-graph.ts";
import { bothSettled, inParallel, parallelRequests } from "./in-parallel.ts";

/** Pushes the manifests that a destination lacks by their digests, children before their parents, then what refers to them. */
export async function pushManifests(destination: Destination, graph: ImageGraph, signal: AbortSignal): Promise<void> {
  const push = (node: ImageNode): Promise<void> =>
    putNode(destination, { ...repositoryOf(destination), digest: node.digest }, node, signal);
  const referring = new Set(graph.referrers.map(({ digest }) => digest));
  const pushImage = async (): Promise<void> => {
    for (const level of levelsOf(destination.plan.nodes.filter(({ digest }) => !referring.has(digest))))
      await inParallel(level, parallelRequests, push);
  };
  const [, unlisted] = await bothSettled(pushImage(), unlistedReferrers(destination, graph, signal));
  const missing = destination.plan.nodes.filter(({ digest }) => referring.has(digest));
  for (const level of levelsOf([...missing, ...unlisted])) {
    // One after the other: where the registry keeps no list of referrers, those of one image are added to the same index.
    const bySubject = [...Map.groupBy(level, ({ content }) => content.subject).values()];
    await inParallel(bySubject, parallelRequests, async (nodes) => {
      for (const node of nodes) await push(node);
    });
  }
}

/** Referrers that are there and not listed: a copy that was cut off between the one and the other has left them. */
async function unlistedReferrers(
  { client, plan, ...destination }: Destination,
  { referrers }: ImageGraph,
  signal: AbortSignal,
): Promise<readonly ImageNode[]> {
  const missing = new Set(plan.nodes.map(({ digest }) => digest));
  const there = referrers.filter(({ digest }) => !missing.has(digest));
  const unlisted = [...Map.groupBy(there, ({ content }) => content.subject ?? "")].map(async ([digest, nodes]) => {
    const listed = await client.listReferrers({ ...repositoryOf(destination), digest }, { signal });
    return nodes.filter((node) => !listed.some((referrer) => referrer.digest === node.digest));
  });
  return (await Promise.all(unlisted)).flat();
}

/** Points the tags that the plan names to the image. */
export async function pushTags(destination: Destination, root: ImageNode, signal: AbortSignal): Promise<void> {
  await inParallel(destination.plan.tags, parallelRequests, (tag) =>
    putNode(destination, { ...repositoryOf(destination), tag }, root, signal),
  );
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
