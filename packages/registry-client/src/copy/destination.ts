import type { AnyBuilderError, DriverEvent } from "@slipway/core";
import { BuilderError } from "@slipway/core/errors";

import type { RegistryClient } from "../registry-client.ts";
import type { StreamExperience } from "./blob-delivery.ts";
import type { DestinationName } from "./copy-options.ts";
import type { AskedBlob, DestinationPlan } from "./destination-plan.ts";
import { emptyPlan, withoutBlob } from "./destination-plan.ts";
import { totalBytes } from "./image-graph.ts";

const progressIntervalMs = 100;

/** A repository that an image goes to, and how far that is. */
export interface Destination extends DestinationName {
  readonly client: RegistryClient;
  plan: DestinationPlan;
  /** Set once it has failed: the others go on. */
  error: AnyBuilderError | undefined;
  sentBytes: number;
  mountedBytes: number;
  readonly streams: StreamExperience;
  readonly progress: DestinationProgress;
}

/** Reports what a destination has received. */
export interface DestinationProgress {
  /** @param receivedBytes - Of this blob so far. */
  received(digest: string, receivedBytes: number): void;
  /** Reports the latest. */
  flush(): void;
}

/** A destination of which nothing is known yet. */
export function createDestination(
  name: DestinationName,
  client: RegistryClient,
  onProgress: ((event: DriverEvent<"push-progress">) => void) | undefined,
): Destination {
  const receivedBytes = new Map<string, number>();
  let reportedMs = 0;
  const flush = (): void => {
    reportedMs = performance.now();
    const sentBytes = [...receivedBytes.values()].reduce((sum, bytes) => sum + bytes, 0);
    const total = totalBytes(destination.plan.blobs) - destination.mountedBytes;
    onProgress?.({ type: "push-progress", reference: name.names[0] ?? "", sentBytes, totalBytes: total });
  };
  const destination: Destination = {
    ...name,
    client,
    plan: emptyPlan,
    error: undefined,
    sentBytes: 0,
    mountedBytes: 0,
    streams: { lost: false },
    progress: {
      received: (digest, bytes) => {
        receivedBytes.set(digest, bytes);
        if (onProgress !== undefined && performance.now() - reportedMs >= progressIntervalMs) flush();
      },
      flush,
    },
  };
  return destination;
}

/** Whether a destination lacks a blob. What it has is no part of its plan any more; if it cannot say so, that is noted. */
export async function lacksBlob(
  destination: Destination,
  asked: ReadonlyMap<string, AskedBlob> | undefined,
  digest: string,
): Promise<boolean> {
  const question = asked?.get(digest);
  if (destination.error !== undefined || question === undefined) return false;
  try {
    const isMissing = await question.isMissing;
    if (!isMissing) destination.plan = withoutBlob(destination.plan, digest);
    return isMissing;
  } catch (error) {
    destination.error ??= BuilderError.from(error);
    return false;
  }
}

/** Does something for every destination that has not failed yet, at once. What fails is noted at its destination. */
export async function forEachDestination(
  destinations: readonly Destination[],
  signal: AbortSignal,
  work: (destination: Destination) => Promise<void>,
): Promise<void> {
  const alive = destinations.filter(({ error }) => error === undefined);
  await Promise.all(
    alive.map(async (destination) => {
      try {
        await work(destination);
      } catch (error) {
        destination.error = BuilderError.from(error);
      }
    }),
  );
  signal.throwIfAborted();
}
