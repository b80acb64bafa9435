import type { Duplex } from "node:stream";

import type { BuildkitClient, ConnectBuildkitOptions } from "./buildkit-client.ts";
import { diskUsage, info, listWorkers, prune } from "./daemon-control.ts";
import { GrpcChannel } from "./grpc/grpc-channel.ts";
import { openImageResolver } from "./solve/resolve-image.ts";
import { solve } from "./solve/solve.ts";

/** The part of `connectBuildkit` that loads HTTP/2 and protobuf. */
export function openClient(stream: Duplex, { signal }: ConnectBuildkitOptions): BuildkitClient {
  const channel = new GrpcChannel(stream);
  const close = async () => {
    channel.close();
    await channel.closed;
  };
  const answered = info(channel, { signal }).then(
    () => undefined,
    async (error: unknown) => {
      await close();
      throw error;
    },
  );
  // Whoever does not wait for it learns the same from the first call.
  answered.catch(() => undefined);
  return {
    info: (call = {}) => info(channel, call),
    listWorkers: (call = {}) => listWorkers(channel, call),
    diskUsage: (call = {}) => diskUsage(channel, call),
    prune: (pruneOptions = {}, call = {}) => prune(channel, pruneOptions, call),
    solve: (request, call = {}) => solve(channel, request, call),
    openImageResolver: (resolverOptions) => openImageResolver(channel, resolverOptions),
    answered,
    closed: channel.closed,
    close,
    [Symbol.asyncDispose]: close,
  };
}
