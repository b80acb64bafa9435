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
import { bothSettled, inParallel, parallelRequests } from "./in-parallel.ts";
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

/** One reading: however often something is named in it, it is asked for once. */
interface Reading {
  readonly source: GraphSource;
  readonly manifests: Map<string, Promise<Manifest>>;
  readonly nodes: Map<string, Promise<ImageNode | undefined>>;
}

/** Where a manifest is in an image, and what of it is wanted. */
interface Place {
  /** How many indexes are above it. */
  readonly depth: number;
  /** @defaultValue all */
  readonly platforms?: readonly string[] | undefined;
}

const maxListedTags = 100;
const maxDepth = 8;
const digestTagSuffixes = ["sig", "att", "sbom"] as const;

/** Reads all manifests of an image. @throws `REGISTRY_REFUSED` when the source lacks one, or they are nested too deeply */
export async function readImage(source: GraphSource): Promise<ImageNode> {
  const { platforms, reference } = source;
  const manifest = await fetchManifest(source, reference);
  const root = await completeNode(startReading(source), manifest, { depth: 0, platforms });
  if (root === undefined) throw noPlatform(source);
  if (platforms !== undefined) await checkPlatforms(source, root, platforms);
  return root;
}

function startReading(source: GraphSource): Reading {
  return { source, manifests: new Map(), nodes: new Map() };
}

/** `undefined` for an index that has none of the platforms. */
async function readNode(reading: Reading, digest: string, place: Place): Promise<ImageNode | undefined> {
  const { source, manifests, nodes } = reading;
  if (place.depth > maxDepth) throw tooDeep(nameOf(source, digest));
  // What may be below it depends on where it is, and what remains of it on the platforms.
  const key = [place.depth, digest, ...(place.platforms ?? [])].join(" ");
  return await once(nodes, key, async () => {
    const manifest = await once(manifests, digest, () => fetchManifest(source, withDigest(source, digest)));
    return await completeNode(reading, manifest, place);
  });
}

async function once<Value>(
  memory: Map<string, Promise<Value>>,
  key: string,
  work: () => Promise<Value>,
): Promise<Value> {
  const value = memory.get(key) ?? work();
  memory.set(key, value);
  return await value;
}

async function fetchManifest({ client, signal }: GraphSource, reference: ImageReference): Promise<Manifest> {
  const manifest = await client.getManifest(reference, { signal });
  if (manifest === undefined) throw sourceNotFound(reference);
  return manifest;
}

async function completeNode(
  reading: Reading,
  { mediaType, digest, bytes }: Manifest,
  { depth, platforms }: Place,
): Promise<ImageNode | undefined> {
  const name = nameOf(reading.source, digest);
  const content = parseImageContent(mediaType, bytes, name);
  const chosen = platforms === undefined ? content.children : chosenChildren(content, platforms);
  const nodes = await inParallel(chosen, parallelRequests, async (child) => ({
    child,
    node: await readNode(reading, child.digest, {
      depth: depth + 1,
      platforms: isIndexMediaType(child.mediaType) ? platforms : undefined,
    }),
  }));
  const kept = nodes.filter(
    (entry): entry is { child: ContentDescriptor; node: ImageNode } => entry.node !== undefined,
  );
  const children = [...new Set(kept.map(({ node }) => node))];
  const whole =
    kept.length === content.children.length && kept.every(({ child, node }) => node.digest === child.digest);
  if (whole) return { mediaType, digest, bytes, content, children, original: true };
  if (kept.length === 0) return undefined;
  return rewrittenNode({ mediaType, bytes }, kept, name);
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
    children: [...new Set(kept.map(({ node }) => node))],
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
  const reading = startReading(source);
  const tags = listFewTags(source);
  const known: ReferrersKnowledge = { tags };
  let subjects = [root];
  while (subjects.length > 0) {
    const nodes = [...withChildren(subjects).values()];
    const unique = nodes.filter(({ digest, original }) => original && !seen.has(digest));
    for (const { digest } of unique) seen.add(digest);
    const read = (node: ImageNode): Promise<readonly ImageNode[]> => readReferrers(reading, node, seen, known);
    const [found, tagged] = await bothSettled(
      readAllReferrers(unique, read, known),
      inParallel(unique, parallelRequests, async (node) => await readDigestTags(reading, node, await tags)),
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

/** Some nodes and all below them, each once: there can be very many ways to one of them. */
function withChildren(nodes: readonly ImageNode[], found = new Map<string, ImageNode>()): Map<string, ImageNode> {
  for (const node of nodes) {
    if (found.has(node.digest)) continue;
    found.set(node.digest, node);
    withChildren(node.children, found);
  }
  return found;
}

async function readReferrers(
  reading: Reading,
  { digest }: ImageNode,
  seen: ReadonlySet<string>,
  known: ReferrersKnowledge,
): Promise<readonly ImageNode[]> {
  const { source } = reading;
  const listed = await source.client.listReferrers(withDigest(source, digest), { known, signal: source.signal });
  const unknown = listed.filter((referrer) => !seen.has(referrer.digest));
  const nodes = await inParallel(unknown, 2, ({ digest: each }) => readNode(reading, each, { depth: 0 }));
  return nodes.filter((node) => node !== undefined);
}

/** The tags of a repository, if one answer lists all of them: it spares a request for each tag that might be there. */
async function listFewTags({ client, reference, signal }: GraphSource): Promise<ReadonlySet<string> | undefined> {
  const tags = new Set<string>();
  try {
    for await (const tag of client.listTags(reference.repository, { pageSize: maxListedTags, signal }))
      if (tags.add(tag).size >= maxListedTags) return undefined;
    return tags;
  } catch {
    // Not everybody may list who may read. Who has left learns of it by what is asked beside.
    return undefined;
  }
}

async function readDigestTags(
  reading: Reading,
  { digest }: ImageNode,
  known: ReadonlySet<string> | undefined,
): Promise<readonly DigestTag[]> {
  const { client, reference, signal } = reading.source;
  const tags = digestTagSuffixes.map((suffix) => `${digest.replace(":", "-")}.${suffix}`);
  const possible = tags.filter((tag) => known === undefined || known.has(tag));
  const found = await Promise.all(
    possible.map(async (tag) => {
      const { registry, repository } = reference;
      const manifest = await client.getManifest({ registry, repository, tag }, { signal });
      const node = manifest && (await completeNode(reading, manifest, { depth: 0 }));
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
  return invalidOptions("publishing", [{ path: "platforms", message }]);
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

function tooDeep(name: string): BuilderError {
  const problem = `lies below more than ${maxDepth} indexes`;
  return new BuilderError({
    code: "REGISTRY_REFUSED",
    message: `${name} is not read: it ${problem}, one within the other. Build and push the image again.`,
    details: { registry: name.split("/")[0] ?? name, diagnostics: [`the manifest ${problem}`], triedCredentials: [] },
  });
}
