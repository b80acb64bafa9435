import type { ManifestContent } from "../manifest.ts";
import { parseManifestJson } from "../manifest.ts";
import { isIndexMediaType } from "../media-types.ts";
import type { Destination } from "./destination.ts";
import type { DigestTag } from "./image-graph.ts";
import { inParallel, parallelRequests } from "./in-parallel.ts";

type DigestTagDestination = Pick<Destination, "client" | "registry" | "repository">;

/** What a tag of cosign shall stand for; `unlike` is one that cannot be joined with that of the source. */
type DigestTagChange = "none" | "unlike" | ManifestContent;

/** Whether a destination lacks signatures of the source under the tags of cosign. */
export async function hasStaleDigestTag(
  destination: DigestTagDestination,
  digestTags: readonly DigestTag[],
  signal: AbortSignal,
): Promise<boolean> {
  for (const digestTag of digestTags)
    if (typeof (await changeOf(destination, digestTag, signal)) === "object") return true;
  return false;
}

/**
 * Brings the tags of cosign, of which each collects signatures: what a destination has there it keeps, and gets what it lacks beside it. One that
 * cannot be joined stays as it is.
 */
export async function pushDigestTags(
  destination: DigestTagDestination,
  digestTags: readonly DigestTag[],
  signal: AbortSignal,
  warn: ((message: string) => void) | undefined,
): Promise<void> {
  const { client, registry, repository } = destination;
  await inParallel(digestTags, parallelRequests, async (digestTag) => {
    const { tag } = digestTag;
    const change = await changeOf(destination, digestTag, signal);
    if (typeof change === "object") await client.putManifest({ registry, repository, tag }, change, { signal });
    if (change === "unlike")
      warn?.(
        `${registry}/${repository}:${tag} was left as it is: it differs from that of the source, and the two cannot be joined.`,
      );
  });
}

async function changeOf(
  { client, registry, repository }: DigestTagDestination,
  { tag, node }: DigestTag,
  signal: AbortSignal,
): Promise<DigestTagChange> {
  const there = await client.getManifest({ registry, repository, tag }, { signal, direct: true });
  if (there === undefined) return node;
  return there.digest === node.digest ? "none" : joinSignatures(there, node);
}

/**
 * The layers of both, each once: those that are there first. The configuration stays that of the destination, since signatures are read from the
 * layers of the manifest.
 */
export function joinSignatures(there: ManifestContent, source: ManifestContent): DigestTagChange {
  const json = parseManifestJson(there.bytes);
  const kept = layersOf(there);
  const wanted = layersOf(source);
  if (kept === undefined || wanted === undefined) return "unlike";
  const known = new Set(kept.map(identityOf));
  const added = wanted.filter((layer) => !known.has(identityOf(layer)));
  if (added.length === 0) return "none";
  // The digest of the source stays, where nothing is lost with it.
  const offered = new Set(wanted.map(identityOf));
  if ([...known].every((identity) => offered.has(identity))) return source;
  const bytes = Buffer.from(JSON.stringify({ ...json, layers: [...kept, ...added] }));
  return { mediaType: there.mediaType, bytes };
}

type Layer = Readonly<Record<string, unknown>>;

function layersOf({ mediaType, bytes }: ManifestContent): readonly Layer[] | undefined {
  const layers = isIndexMediaType(mediaType) ? undefined : parseManifestJson(bytes)?.["layers"];
  if (!Array.isArray(layers) || layers.length === 0) return undefined;
  return layers.every((layer) => typeof layer === "object" && layer !== null)
    ? (layers as readonly Layer[])
    : undefined;
}

/** Signatures of several keys may be about the same bytes: what differs is the signature, which is an annotation. */
function identityOf({ digest, annotations }: Layer): string {
  const entries = typeof annotations === "object" && annotations !== null ? Object.entries(annotations) : [];
  return JSON.stringify([digest, entries.toSorted(([first], [second]) => (first < second ? -1 : 1))]);
}
