import { setTimeout as delay } from "node:timers/promises";

import type { GrpcChannel } from "../grpc/grpc-channel.ts";
import * as messages from "../messages.ts";
import type { Message } from "../protobuf/message-type.ts";

const listenMethod = "/moby.buildkit.v1.Control/ListenBuildHistory";
const readMethod = "/containerd.services.content.v1.Content/Read";
const timeoutMs = 5000;
const activeCheckMs = 25;

/**
 * The error of a finished build from the daemon's records. Needed where the error did not fit into HTTP/2 trailers: it repeats the
 * whole Dockerfile, so one of some 40 KB is enough.
 */
export async function recordedError(
  channel: GrpcChannel,
  ref: string,
): Promise<Message<typeof messages.RpcStatus> | undefined> {
  const signal = AbortSignal.timeout(timeoutMs);
  let record: ReturnType<typeof readRecord>;
  const request = messages.encode(messages.BuildHistoryRequest, { ref, earlyExit: true });
  await channel.stream(listenMethod, request, {
    onMessage: (message) => (record = readRecord(message) ?? record),
    signal,
  });
  const digest = record?.externalError?.digest;
  if (digest === undefined) return record?.error;
  return messages.decode(messages.RpcStatus, await readContent(channel, digest, signal));
}

/**
 * Waits until the daemon has dropped a build that was told to stop, for 5 s at most. A build is active from before its first status until after its last.
 * A daemon that keeps no records, or is gone, is not waited for. Never rejects.
 */
export async function waitUntilInactive(channel: GrpcChannel, ref: string): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs);
  const request = messages.encode(messages.BuildHistoryRequest, { ref, activeOnly: true, earlyExit: true });
  const isActive = async () => {
    let isListed = false;
    await channel.stream(listenMethod, request, { onMessage: () => (isListed = true), signal });
    return isListed;
  };
  try {
    while (await isActive()) await delay(activeCheckMs, undefined, { signal });
  } catch {
    // Whoever cancelled is waiting: nothing more can be learned.
  }
}

function readRecord(message: Buffer) {
  return messages.decode(messages.BuildHistoryEvent, message).record;
}

async function readContent(channel: GrpcChannel, digest: string, signal: AbortSignal): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  const onMessage = (message: Buffer) =>
    pieces.push(messages.decode(messages.ReadContentResponse, message).data.slice());
  await channel.stream(readMethod, messages.encode(messages.ReadContentRequest, { digest }), { onMessage, signal });
  return Buffer.concat(pieces);
}
