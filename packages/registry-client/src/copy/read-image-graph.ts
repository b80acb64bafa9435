import { BuilderError, invalidOptions } from "@slipway/core/errors";

import type { ImageReference } from "../image-reference.ts";
import { formatImageReference } from "../image-reference.ts";
import type { ReferrersKnowledge } from "../listing-requests.ts";
import type { Manifest } from "../manifest.ts";
import { computeDigest } from "../manifest.ts";
import { isIndexMediaType } from "../media-types.ts";
import type { RegistryClient } from "../registry-client.ts";
import type { DigestTag, ImageGraph, ImageNode } from "./image-graph.ts";
import { readPlatforms, requirePlatforms } from "./image-platforms.ts";
import { bothSettled, inParallel } from "./in-parallel.ts";
import type { ContentDescriptor, ImageContent } from "./image-content.ts";
import { parseImageContent } from "./image-content.ts";
import { keepPlatforms, rewriteIndex } from "./platform-filter.ts";

/** Where an image is read, and how much of it. */
export interface GraphSource {
  readonly client: RegistryClient;
  readonly reference: ImageReference;
  readonly platforms: readonly string[] | undefined;
  readonly signal: AbortSignal;
}

const parallelRequests = 8;
const maxListedTags = 100;
const digestTagSuffixes = ["sig", "att", "sbom"] as const;

/** Reads all manifests of an image. @throws `REGISTRY_REFUSED` when the source lacks one */
export async function readImage(source: GraphSource): Promise<ImageNode> {
  const { platforms, reference } = source;
  const root = await readNode(source, reference, platforms);
  if (root === undefined) throw noPlatform(source);
  if (platforms !== undefined) await checkPlatforms(source, root, platforms);
  return root;
}

/** `undefined` for an index that has none of the platforms. */
async function readNode(
  source: GraphSource,
  reference: ImageReference,
  platforms?: readonly string[],
): Promise<ImageNode | undefined> {
  const manifest = await source.client.getManifest(reference, { signal: source.signal });
  if (manifest === undefined) throw sourceNotFound(reference);
  return await completeNode(source, manifest, platforms);
}

async function completeNode(
  source: GraphSource,
  { mediaType, digest, bytes }: Manifest,
  platforms?: readonly string[],
): Promise<ImageNode | undefined> {
  const content = parseImageContent(mediaType, bytes, nameOf(source, digest));
  const chosen = platforms === undefined ? content.children : chosenChildren(content, platforms);
  const nodes = await inParallel(chosen, parallelRequests, async (child) => ({
    child,
    node: await readNode(
      source,
      withDigest(source, child.digest),
      isIndexMediaType(child.mediaType) ? platforms : undefined,
    ),
  }));
  const kept = nodes.filter(
    (entry): entry is { child: ContentDescriptor; node: ImageNode } => entry.node !== undefined,
  );
  const children = kept.map(({ node }) => node);
  const whole =
    kept.length === content.children.length && kept.every(({ child, node }) => node.digest === child.digest);
  if (whole) return { mediaType, digest, bytes, content, children, original: true };
  if (kept.length === 0) return undefined;
  return rewrittenNode({ mediaType, bytes }, kept, nameOf(source, digest));
}

/** Nested indexes are looked into, whatever platform they are said to have. */
function chosenChildren({ children }: ImageContent, platforms: readonly string[]): readonly ContentDescriptor[] {
  const direct = new Set(
    keepPlatforms(
      children.filter(({ mediaType }) => !isIndexMediaType(mediaType)),
      platforms,
    ),
  );
  return children.filter((child) => isIndexMediaType(child.mediaType) || direct.has(child));
}

function rewrittenNode(
  { mediaType, bytes }: Pick<ImageNode, "mediaType" | "bytes">,
  kept: readonly { readonly child: ContentDescriptor; readonly node: ImageNode }[],
  name: string,
): ImageNode {
  const replaced = new Map(
    kept.map(({ child, node }) => [child.digest, { digest: node.digest, sizeBytes: node.bytes.byteLength }]),
  );
  const rewritten = rewriteIndex(bytes, new Set(replaced.keys()), replaced);
  return {
    mediaType,
    digest: computeDigest(rewritten),
    bytes: rewritten,
    content: parseImageContent(mediaType, rewritten, name),
    children: kept.map(({ node }) => node),
    original: false,
  };
}

/** What refers to the image, to its parts, and to what refers to them. */
export async function readAttached(
  source: GraphSource,
  root: ImageNode,
): Promise<Pick<ImageGraph, "referrers" | "digestTags">> {
  const referrers: ImageNode[] = [];
  const digestTags: DigestTag[] = [];
  const seen = new Set<string>();
  const tags = listFewTags(source);
  // Until it is asked for, nobody hears of an error.
  tags.catch(() => undefined);
  const known: ReferrersKnowledge = { tags };
  let subjects = [root];
  while (subjects.length > 0) {
    const originals = subjects.flatMap(withChildren).filter(({ digest, original }) => original && !seen.has(digest));
    const unique = [...new Map(originals.map((node) => [node.digest, node])).values()];
    for (const { digest } of unique) seen.add(digest);
    const read = (node: ImageNode): Promise<readonly ImageNode[]> => readReferrers(source, node, seen, known);
    const [found, tagged] = await bothSettled(
      readAllReferrers(unique, read, known),
      inParallel(unique, parallelRequests, async (node) => await readDigestTags(source, node, await tags)),
    );
    referrers.push(...found);
    digestTags.push(...tagged.flat());
    subjects = [...found, ...tagged.flat().map(({ node }) => node)];
  }
  return { referrers, digestTags };
}

/** The first one of all shows how the registry has to be asked for the others. */
async function readAllReferrers(
  nodes: readonly ImageNode[],
  read: (node: ImageNode) => Promise<readonly ImageNode[]>,
  known: ReferrersKnowledge,
): Promise<readonly ImageNode[]> {
  const leads = known.withoutList === undefined ? 1 : 0;
  const first = await inParallel(nodes.slice(0, leads), 1, read);
  return [...first, ...(await inParallel(nodes.slice(leads), parallelRequests, read))].flat();
}

function withChildren(node: ImageNode): readonly ImageNode[] {
  return [node, ...node.children.flatMap(withChildren)];
}

async function readReferrers(
  source: GraphSource,
  { digest }: ImageNode,
  seen: ReadonlySet<string>,
  known: ReferrersKnowledge,
): Promise<readonly ImageNode[]> {
  const listed = await source.client.listReferrers(withDigest(source, digest), { known, signal: source.signal });
  const unknown = listed.filter((referrer) => !seen.has(referrer.digest));
  const nodes = await inParallel(unknown, 2, (referrer) => readNode(source, withDigest(source, referrer.digest)));
  return nodes.filter((node) => node !== undefined);
}

/** The tags of a repository, if one answer lists all of them: it spares a request for each tag that might be there. */
async function listFewTags({ client, reference, signal }: GraphSource): Promise<ReadonlySet<string> | undefined> {
  const tags = new Set<string>();
  try {
    for await (const tag of client.listTags(reference.repository, { pageSize: maxListedTags, signal }))
      if (tags.add(tag).size >= maxListedTags) return undefined;
    return tags;
  } catch (error) {
    if (signal.aborted) throw error;
    // Not everybody may list who may read.
    return undefined;
  }
}

async function readDigestTags(
  source: GraphSource,
  { digest }: ImageNode,
  known: ReadonlySet<string> | undefined,
): Promise<readonly DigestTag[]> {
  const tags = digestTagSuffixes.map((suffix) => `${digest.replace(":", "-")}.${suffix}`);
  const possible = tags.filter((tag) => known === undefined || known.has(tag));
  const found = await Promise.all(
    possible.map(async (tag) => {
      const { registry, repository } = source.reference;
      const manifest = await source.client.getManifest({ registry, repository, tag }, { signal: source.signal });
      const node = manifest && (await completeNode(source, manifest));
      return node && { tag, node };
    }),
  );
  return found.filter((entry) => entry !== undefined);
}

function withDigest({ reference: { registry, repository } }: GraphSource, digest: string): ImageReference {
  return { registry, repository, digest };
}

function nameOf(source: GraphSource, digest: string): string {
  return formatImageReference(withDigest(source, digest));
}

/** The platforms that are asked for have to be there, and an image of one platform has to be it. */
async function checkPlatforms(source: GraphSource, root: ImageNode, platforms: readonly string[]): Promise<void> {
  const { client, reference, signal } = source;
  const there = await readPlatforms(client, reference.repository, root, signal);
  requirePlatforms(formatImageReference(reference), there, platforms);
}

function noPlatform({ reference, platforms = [] }: GraphSource): Error {
  const message = `${formatImageReference(reference)} has none of ${platforms.join(", ")}`;
  return invalidOptions("publish", [{ path: "platforms", message }]);
}

/** The error for an image that is to be published and is not there. */
export function sourceNotFound(reference: ImageReference): BuilderError {
  const name = formatImageReference(reference);
  return new BuilderError({
    code: "REGISTRY_REFUSED",
    message: `Cannot publish ${name}: ${reference.registry} does not have it. Push it first, or check the name.`,
    details: { registry: reference.registry, status: 404, diagnostics: [], triedCredentials: [] },
  });
}
