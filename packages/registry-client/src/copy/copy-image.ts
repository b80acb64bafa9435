import { askGate, BuilderError, publishFailed } from "@slipway/core/errors";
import type { PublishResult } from "@slipway/core";

import { graceSignal } from "../grace-signal.ts";
import { formatImageReference } from "../image-reference.ts";
import type { RegistryCall } from "../registry-call.ts";
import { neverAborted } from "../registry-call.ts";
import type { RegistryClient } from "../registry-client.ts";
import { abortError } from "../registry-requests.ts";
import { createConcurrencyLimit } from "../request-limits.ts";
import type { BlobSource } from "./blob-chunks.ts";
import { createChunkBuffers } from "./blob-chunks.ts";
import type { BlobCopy } from "./copy-blobs.ts";
import { copyBlobs } from "./copy-blobs.ts";
import { checkCopyOptions } from "./check-copy-options.ts";
import type { CopyImageOptions, ParsedCopyOptions } from "./copy-options.ts";
import { parseCopyOptions } from "./copy-options.ts";
import type { Destination } from "./destination.ts";
import { createDestination, forEachDestination, lacksBlob } from "./destination.ts";
import type { AskedBlob, AskedTags } from "./destination-plan.ts";
import { askForBlobs, askForTags, extendPlan, planDestination } from "./destination-plan.ts";
import type { ImageGraph, ImageNode } from "./image-graph.ts";
import { blobsOf, orderedNodes, startsOf, totalBytes } from "./image-graph.ts";
import { readPlatforms } from "./image-platforms.ts";
import { bothSettled } from "./in-parallel.ts";
import { hasStaleDigestTag, pushDigestTags } from "./digest-tags.ts";
import { pushManifests, pushTags } from "./push-manifests.ts";
import type { GraphSource } from "./read-image-graph.ts";
import { readAttached, readImage } from "./read-image-graph.ts";

const defaultConcurrency = 6;
const defaultChunkBytes = 5 * 1024 * 1024;
/** What is read and sent at a time within a stream: larger parts leave the processor's cache before they are sent. */
const streamedBytes = 1024 * 1024;

/**
 * Copies an image from registry to registry: all platforms, attestations, and what refers to it, with the digests and bytes that it has. What a
 * destination has is not sent; what another repository of its registry has is mounted there; everything else streams through this process, read
 * once for all destinations and verified on its way. Neither Docker nor the disk is needed.
 *
 * A blob is sent in one request as long as that works, as engines do it. When its connection ends, the copy goes on within the blob, on either
 * side: what is sent again is what the connection held, and from then on at most one chunk (`chunkBytes`) for each that ends. A registry of version
 * 2 forgets an upload whose connection ended within a request: that blob starts again. To a registry that takes no request without an announced
 * length everything goes in chunks.
 *
 * A destination that fails does not stop the others; the error comes when they are done, and names it. If several fail, `code` and `details` are those
 * of the first failure that another attempt does not mend, else of the first, and `retryable` is true only if all failures are. `cause` is then an
 * `AggregateError` with a `BuilderError` for each destination, whose message begins with the destination; if one has failed, it is its error.
 * Once the signal fires, open uploads are cancelled before this rejects.
 *
 * @throws `INVALID_OPTIONS` before anything is sent, also for an option that there is not, `PUBLISH_REFUSED` when `beforeTag` throws, `REGISTRY_UNAUTHORIZED`, `REGISTRY_UNAVAILABLE`,
 * `REGISTRY_REFUSED`, `REPOSITORY_NOT_FOUND`, `DIGEST_MISMATCH`, `ABORTED`
 */
export async function copyImage(
  options: CopyImageOptions,
  { signal = neverAborted() }: RegistryCall = {},
): Promise<PublishResult> {
  checkCopyOptions(options);
  const parsed = parseCopyOptions(options);
  const connect = connectOnce(options.connect);
  const reference = parsed.source;
  const client = connect(reference.registry);
  const destinations = parsed.destinations.map((name) =>
    createDestination(name, connect(name.registry), options.onProgress),
  );
  try {
    const copy = { options, parsed, client, destinations, signal };
    const graph = options.dryRun === true ? await estimate(copy) : await execute(copy);
    const error = publishFailed(formatImageReference(reference), destinations);
    if (error !== undefined) throw error;
    return resultOf(copy, graph);
  } catch (error) {
    if (signal.aborted) throw abortError(signal);
    throw BuilderError.from(error);
  }
}

interface Copy {
  readonly options: CopyImageOptions;
  readonly parsed: ParsedCopyOptions;
  /** Of the source. */
  readonly client: RegistryClient;
  readonly destinations: readonly Destination[];
  readonly signal: AbortSignal;
}

function connectOnce(connect: (registry: string) => RegistryClient): (registry: string) => RegistryClient {
  const clients = new Map<string, RegistryClient>();
  return (registry) => {
    const client = clients.get(registry) ?? connect(registry);
    clients.set(registry, client);
    return client;
  };
}

async function execute(copy: Copy): Promise<ImageGraph> {
  const { options, destinations, signal } = copy;
  const { createRepository = false } = options;
  using grace = graceSignal(signal);
  const { root, tags } = await readAndAsk(copy);
  if (createRepository)
    await forEachDestination(destinations, signal, async ({ client, registry, repository }) => {
      await client.checkPush({ registry, repository }, { createRepository, signal });
    });
  const asked = await plan(copy, { root, referrers: [], digestTags: [] }, { starts: [root], tags });
  const travel = createTravel(copy, grace.signal);
  // What refers to the image is looked for, and travels, while the image itself is on its way.
  const [, graph] = await bothSettled(copyMissing(copy, asked, travel), copyAttached(copy, root, asked, travel));
  await forEachDestination(destinations, signal, async (destination) => {
    await pushManifests(destination, graph, signal);
    destination.progress.flush();
  });
  await askBeforeTag(copy, graph);
  await forEachDestination(destinations, signal, async (destination) => {
    await pushDigestTags(destination, graph.digestTags, signal, options.warn);
    await pushTags(destination, root, signal);
  });
  return graph;
}

/** Brings what refers to the image to the destinations, as far as it is not part of the image: its manifests come later. */
async function copyAttached(
  copy: Copy,
  root: ImageNode,
  asked: BlobCopy["asked"],
  travel: Travel,
): Promise<ImageGraph> {
  const within = { ...copy, signal: AbortSignal.any([copy.signal, travel.halt.signal]) };
  try {
    const graph = await attach(within, root);
    const attached = startsOf(graph).filter((node) => node !== root);
    if (attached.length > 0)
      await copyMissing(within, await plan(within, graph, { starts: attached, before: asked }), travel);
    return graph;
  } catch (error) {
    // Without it the image would not be published: its blobs need not travel on. What failed before stays the reason.
    travel.halt.abort(error);
    throw error;
  }
}

function sourceOf({ options, parsed, client, signal }: Copy): GraphSource {
  return { client, reference: parsed.source, platforms: options.platforms, signal };
}

async function attach(copy: Copy, root: ImageNode): Promise<ImageGraph> {
  if (copy.options.referrers === false) return { root, referrers: [], digestTags: [] };
  return { root, ...(await readAttached(sourceOf(copy), root)) };
}

/** What the tags of each destination stand for. */
type TagAnswers = ReadonlyMap<Destination, AskedTags>;

/** Reads the image; destinations are asked for their tags meanwhile, which also tells whose credentials are good there. */
async function readAndAsk(copy: Copy): Promise<{ readonly root: ImageNode; readonly tags: TagAnswers }> {
  const left = new AbortController();
  const signal = AbortSignal.any([copy.signal, left.signal]);
  const tags = new Map<Destination, AskedTags>();
  const read = async (): Promise<ImageNode> => {
    try {
      return await readImage(sourceOf(copy));
    } catch (error) {
      left.abort();
      throw error;
    }
  };
  const ask = forEachDestination(copy.destinations, signal, async (destination) => {
    tags.set(destination, await askForTags(destination.client, destination, signal));
  });
  const [root] = await bothSettled(read(), ask);
  return { root, tags };
}

/** What is asked for. */
interface PlanOptions {
  readonly starts: readonly ImageNode[];
  readonly tags?: TagAnswers;
  /** What was asked for already, and is on its way where it is missing. */
  readonly before?: BlobCopy["asked"];
}

async function plan(
  { destinations, signal }: Copy,
  graph: ImageGraph,
  { starts, tags, before }: PlanOptions,
): Promise<BlobCopy["asked"]> {
  const asked = new Map<Destination, ReadonlyMap<string, AskedBlob>>();
  await forEachDestination(destinations, signal, async (destination) => {
    const { client, repository } = destination;
    const answers = [...(tags?.get(destination) ?? [])];
    const known = new Set(answers.map(([, digest]) => digest));
    const planned = await planDestination(client, destination, graph, { starts, known }, signal);
    const blobs = planned.blobs.filter(({ digest }) => before?.get(destination)?.has(digest) !== true);
    const stale = answers.filter(([, digest]) => digest !== graph.root.digest).map(([tag]) => tag);
    const { tags: otherTags } = destination.plan;
    destination.plan = extendPlan({ ...destination.plan, tags: [...otherTags, ...stale] }, { ...planned, blobs });
    asked.set(destination, askForBlobs(client, repository, blobs, signal));
  });
  return asked;
}

/** What all blobs of a copy share on their way. */
type Travel = Pick<BlobCopy, "buffers" | "limits" | "halt" | "graceSignal">;

function createTravel({ options }: Copy, graceSignal: AbortSignal): Travel {
  const { concurrency = defaultConcurrency, chunkBytes = defaultChunkBytes } = options;
  return {
    buffers: {
      stream: createChunkBuffers(Math.min(chunkBytes, streamedBytes)),
      chunks: createChunkBuffers(chunkBytes),
    },
    halt: new AbortController(),
    limits: { large: createConcurrencyLimit(concurrency), small: createConcurrencyLimit(concurrency) },
    graceSignal,
  };
}

async function copyMissing(copy: Copy, asked: BlobCopy["asked"], travel: Travel): Promise<void> {
  const { parsed, client, destinations, signal } = copy;
  const source: BlobSource = { client, repository: parsed.source.repository, signal };
  await copyBlobs({ source, destinations, asked, ...travel });
}

/** Platforms are read only where somebody is asked. */
async function askBeforeTag(copy: Copy, { root, digestTags }: ImageGraph): Promise<void> {
  const { options, parsed, client, destinations, signal } = copy;
  const { beforeTag } = options;
  if (beforeTag === undefined) return;
  const moving = new Set<Destination>();
  await forEachDestination(destinations, signal, async (destination) => {
    if (destination.plan.tags.length > 0 || (await hasStaleDigestTag(destination, digestTags, signal)))
      moving.add(destination);
  });
  if (moving.size === 0) return;
  const platforms = await readPlatforms(client, parsed.source.repository, root, signal);
  const gated = destinations.map((destination) => {
    const { names, error } = destination;
    return { reference: referenceTo(destination, root.digest), names, isMoving: moving.has(destination), error };
  });
  await askGate(beforeTag, { digest: root.digest, platforms, destinations: gated }, signal);
}

/** What a copy would send: nothing is, so that a mount is taken for granted where it can be asked for. */
async function estimate(copy: Copy): Promise<ImageGraph> {
  const { destinations, parsed } = copy;
  const { root, tags } = await readAndAsk(copy);
  const graph = await attach(copy, root);
  await Promise.all([...(await plan(copy, graph, { starts: startsOf(graph), tags }))].map(settleQuestions));
  const holding = new Set([parsed.source.registry]);
  for (const destination of destinations) {
    const bytes = totalBytes(destination.plan.blobs);
    if (holding.has(destination.registry)) destination.mountedBytes = bytes;
    else destination.sentBytes = bytes;
    holding.add(destination.registry);
  }
  return graph;
}

async function settleQuestions([destination, asked]: readonly [
  Destination,
  ReadonlyMap<string, AskedBlob>,
]): Promise<void> {
  for (const digest of asked.keys()) await lacksBlob(destination, asked, digest);
}

function resultOf({ parsed, destinations }: Copy, graph: ImageGraph): PublishResult {
  const allBytes = totalBytes(blobsOf(orderedNodes(graph)));
  const sum = (bytesOf: (destination: Destination) => number): number =>
    destinations.reduce((total, destination) => total + bytesOf(destination), 0);
  return {
    digest: graph.root.digest,
    references: parsed.order.map((position) => referenceTo(destinations[position] as Destination, graph.root.digest)),
    sentBytes: sum(({ sentBytes }) => sentBytes),
    mountedBytes: sum(({ mountedBytes }) => mountedBytes),
    skippedBytes: sum(({ sentBytes, mountedBytes }) => allBytes - sentBytes - mountedBytes),
  };
}

function referenceTo({ registry, repository }: Destination, digest: string): string {
  return formatImageReference({ registry, repository, digest });
}
