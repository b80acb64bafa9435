import { BuilderError } from "@slipway/core";

import type { BlobSource } from "./blob-chunks.ts";
import type { BlobDelivery } from "./blob-delivery.ts";
import { createBlobDelivery } from "./blob-delivery.ts";
import { deliverBlob } from "./deliver-blob.ts";
import type { Destination } from "./destination.ts";
import { blobsOf } from "./image-graph.ts";
import { inParallel } from "./in-parallel.ts";
import type { ContentDescriptor } from "./image-content.ts";

/** Where blobs come from, and how many travel at a time. */
export interface BlobCopy {
  readonly source: BlobSource;
  readonly destinations: readonly Destination[];
  readonly concurrency: number;
  readonly graceSignal: AbortSignal;
}

/** Brings the blobs that destinations lack to them: each is read once for all. @throws what is wrong with the source */
export async function copyBlobs({ source, destinations, concurrency, graceSignal }: BlobCopy): Promise<void> {
  const halt = new AbortController();
  const signal = AbortSignal.any([source.signal, halt.signal]);
  const copy = { source: { ...source, signal }, destinations, graceSignal };
  const missing = blobsOf(destinations.flatMap(({ plan }) => plan.nodes)).filter(
    (blob) => wanting(destinations, blob).length > 0,
  );
  await inParallel(missing, concurrency, async (blob) => {
    try {
      await copyBlob(copy, blob);
    } catch (error) {
      halt.abort(error);
      throw error;
    }
  });
}

function wanting(destinations: readonly Destination[], { digest }: ContentDescriptor): readonly Destination[] {
  return destinations.filter(
    ({ error, plan }) => error === undefined && plan.blobs.some((blob) => blob.digest === digest),
  );
}

/** Repositories of one registry get a blob one after the other: the first by its bytes, the others can mount it then. */
async function copyBlob(copy: Omit<BlobCopy, "concurrency">, blob: ContentDescriptor): Promise<void> {
  const holders = new Map(
    copy.destinations
      .filter(({ error, plan }) => error === undefined && !plan.blobs.some(({ digest }) => digest === blob.digest))
      .map(({ registry, repository }) => [registry, repository]),
  );
  const { client, repository } = copy.source;
  holders.set(client.registry, repository);
  let waiting = wanting(copy.destinations, blob);
  while (waiting.length > 0) {
    const firsts = waiting.filter(
      ({ registry }, index) =>
        holders.has(registry) || waiting.findIndex((other) => other.registry === registry) === index,
    );
    await copyTo(copy, blob, firsts, holders);
    for (const first of firsts) if (first.error === undefined) holders.set(first.registry, first.repository);
    waiting = waiting.filter((destination) => !firsts.includes(destination));
  }
}

async function copyTo(
  { source, graceSignal }: Omit<BlobCopy, "concurrency">,
  blob: ContentDescriptor,
  destinations: readonly Destination[],
  holders: ReadonlyMap<string, string>,
): Promise<void> {
  const deliveries = destinations.map((destination) => {
    const { client, registry, repository, progress } = destination;
    const delivery = createBlobDelivery({
      client,
      repository,
      blob,
      mountFrom: holders.get(registry),
      onReceived: (sizeBytes) => progress.received(blob.digest, sizeBytes),
      signal: source.signal,
      graceSignal,
    });
    return { destination, delivery };
  });
  await deliverBlob(
    source,
    blob,
    deliveries.map(({ delivery }) => delivery),
  );
  for (const { destination, delivery } of deliveries) settle(destination, delivery, blob);
}

function settle(destination: Destination, { state, error }: BlobDelivery, { sizeBytes }: ContentDescriptor): void {
  if (state === "sent") destination.sentBytes += sizeBytes;
  else if (state === "mounted") destination.mountedBytes += sizeBytes;
  else destination.error ??= BuilderError.from(error ?? uploadsLost(destination));
}

function uploadsLost({ registry, repository }: Destination): BuilderError {
  return new BuilderError({
    code: "REGISTRY_UNAVAILABLE",
    message: `Cannot upload to ${registry}/${repository}: connections keep ending, and the registry forgets what it had. Try again on a better network.`,
    details: { registry, diagnostics: [], triedCredentials: [] },
  });
}
