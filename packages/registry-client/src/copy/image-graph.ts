import type { ContentDescriptor, ImageContent } from "./image-content.ts";

/** A manifest or index, and all that it is made of. */
export interface ImageNode {
  readonly mediaType: string;
  readonly digest: string;
  /** What the registry serves; for an index that leaves platforms out, what has been written instead. */
  readonly bytes: Uint8Array;
  readonly content: ImageContent;
  readonly children: readonly ImageNode[];
  /** False for an index that was written anew: nothing refers to it. */
  readonly original: boolean;
}

/** A tag that belongs to a digest, in the way of cosign: `sha256-<hex>.sig`. */
export interface DigestTag {
  readonly tag: string;
  readonly node: ImageNode;
}

/** All that is copied. */
export interface ImageGraph {
  readonly root: ImageNode;
  /** Manifests that have another one of the graph as their subject, after whatever they refer to. */
  readonly referrers: readonly ImageNode[];
  readonly digestTags: readonly DigestTag[];
}

/** Every manifest and index once, children before their parents, referrers after what they refer to. */
export function orderedNodes(graph: ImageGraph): readonly ImageNode[] {
  const nodes = new Map<string, ImageNode>();
  const seen = new Set<string>();
  for (const start of startsOf(graph)) for (const node of childrenFirst(start, seen)) nodes.set(node.digest, node);
  return [...nodes.values()];
}

/** What no other manifest of the graph names. */
export function startsOf({ root, referrers, digestTags }: ImageGraph): readonly ImageNode[] {
  return [root, ...referrers, ...digestTags.map(({ node }) => node)];
}

/** Each node once: indexes that name the same ones at each level have more paths than can be walked. */
function* childrenFirst(node: ImageNode, seen: Set<string>): Generator<ImageNode> {
  if (seen.has(node.digest)) return;
  seen.add(node.digest);
  for (const child of node.children) yield* childrenFirst(child, seen);
  yield node;
}

/** Configurations and layers of some manifests, each once, the largest first. */
export function blobsOf(nodes: readonly ImageNode[]): readonly ContentDescriptor[] {
  const blobs = new Map(nodes.flatMap(({ content }) => content.blobs).map((blob) => [blob.digest, blob]));
  return [...blobs.values()].sort((first, second) => second.sizeBytes - first.sizeBytes);
}

/** Sum of the sizes of some blobs. */
export function totalBytes(blobs: readonly ContentDescriptor[]): number {
  return blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** The nodes of a graph by levels: each level needs only those before it, and within it nothing needs another. */
export function levelsOf(nodes: readonly ImageNode[]): readonly (readonly ImageNode[])[] {
  const levels: ImageNode[][] = [];
  const levelByDigest = new Map<string, number>();
  for (const node of nodes) {
    const needed = [...node.children.map(({ digest }) => digest), node.content.subject ?? ""];
    const level = Math.max(0, ...needed.map((digest) => (levelByDigest.get(digest) ?? -1) + 1));
    levelByDigest.set(node.digest, level);
    (levels[level] ??= []).push(node);
  }
  return levels;
}
