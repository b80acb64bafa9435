import { BuilderError } from "@slipway/core/errors";

import type { ConcurrencyLimit } from "../request-limits.ts";
import type { BlobSource } from "./blob-chunks.ts";
import type { BlobDelivery } from "./blob-delivery.ts";
import { createBlobDelivery } from "./blob-delivery.ts";
import type { DeliveredBlob } from "./deliver-blob.ts";
import { deliverBlob } from "./deliver-blob.ts";
import type { Destination } from "./destination.ts";
import { lacksBlob } from "./destination.ts";
import type { AskedBlob } from "./destination-plan.ts";
import type { ContentDescriptor } from "./image-content.ts";

const smallBytes = 1024 * 1024;

/** Where blobs come from, and where they go. */
export interface BlobCopy {
  readonly source: BlobSource;
  readonly buffers: DeliveredBlob["buffers"];
  readonly destinations: readonly Destination[];
  /** What each destination was asked for. */
  readonly asked: ReadonlyMap<Destination, ReadonlyMap<string, AskedBlob>>;
  /** How many travel at a time: those of this copy, and of others beside it. */
  readonly limits: { readonly large: ConcurrencyLimit; readonly small: ConcurrencyLimit };
  /** Ends all that share it as soon as there is something wrong with the source. */
  readonly halt: AbortController;
  readonly graceSignal: AbortSignal;
}

/** Brings the blobs that destinations lack to them: each is read once for all. @throws what is wrong with the source */
export async function copyBlobs({ limits, halt, ...copy }: BlobCopy): Promise<void> {
  const source = { ...copy.source, signal: AbortSignal.any([copy.source.signal, halt.signal]) };
  const asked = [...copy.asked.values()].flatMap((blobs) => [...blobs.values()]);
  const all = [...new Map(asked.map(({ blob }) => [blob.digest, blob])).values()];
  const deliver = async (blob: ContentDescriptor): Promise<void> => {
    if (halt.signal.aborted) return;
    try {
      await copyBlob({ ...copy, source }, blob);
    } catch (error) {
      halt.abort(error);
    }
  };
  // Small ones take no time but that of their requests: they travel beside the large ones, and not one by one behind them.
  const bySize = all.toSorted((first, second) => second.sizeBytes - first.sizeBytes);
  await Promise.all(
    bySize.map((blob) => limits[blob.sizeBytes > smallBytes ? "large" : "small"].run(() => deliver(blob))),
  );
  // The first to fail has ended the others.
  halt.signal.throwIfAborted();
}

async function wanting({ destinations, asked }: Blobs, { digest }: ContentDescriptor): Promise<readonly Destination[]> {
  const lacking = await Promise.all(
    destinations.map((destination) => lacksBlob(destination, asked.get(destination), digest)),
  );
  return destinations.filter((_, index) => lacking[index]);
}

type Blobs = Omit<BlobCopy, "limits" | "halt">;

/** Repositories of one registry get a blob one after the other: the first by its bytes, the others can mount it then. */
async function copyBlob(copy: Blobs, blob: ContentDescriptor): Promise<void> {
  const lacking = await wanting(copy, blob);
  const holders = new Map(
    copy.destinations
      .filter((destination) => destination.error === undefined && !lacking.includes(destination))
      .map(({ registry, repository }) => [registry, repository]),
  );
  const { client, repository } = copy.source;
  holders.set(client.registry, repository);
  let waiting = lacking;
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
  { source, buffers, graceSignal }: Blobs,
  blob: ContentDescriptor,
  destinations: readonly Destination[],
  holders: ReadonlyMap<string, string>,
): Promise<void> {
  const deliveries = destinations.map((destination) => {
    const { client, registry, repository, progress, streams } = destination;
    const delivery = createBlobDelivery({
      client,
      repository,
      blob,
      mountFrom: holders.get(registry),
      streams,
      onReceived: (sizeBytes) => progress.received(blob.digest, sizeBytes),
      signal: source.signal,
      graceSignal,
    });
    return { destination, delivery };
  });
  const mayStream = (): boolean => destinations.every(({ streams }) => !streams.lost);
  await deliverBlob(
    { source, blob, buffers, mayStream },
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
