import type { GrpcChannel } from "../grpc/grpc-channel.ts";
import type { Status } from "../gen/status_pb.ts";
import * as messages from "../messages.ts";

const method = "/moby.buildkit.v1.Control/ListenBuildHistory";

/**
 * The error of a finished build from the daemon's records. Needed where the error did not fit into HTTP/2 trailers: it repeats the
 * whole Dockerfile, so one of some 40 KB is enough.
 */
export async function recordedError(channel: GrpcChannel, ref: string): Promise<Status | undefined> {
  let error: Status | undefined;
  const request = messages.encode(messages.BuildHistoryRequest, { ref, earlyExit: true });
  const onMessage = (message: Buffer) =>
    (error = messages.decode(messages.BuildHistoryEvent, message).record?.error ?? error);
  await channel.stream(method, request, { onMessage, signal: AbortSignal.timeout(5000) });
  return error;
}
