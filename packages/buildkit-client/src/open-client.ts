import type { Duplex } from "node:stream";

import type { BuildkitClient, ConnectBuildkitOptions } from "./buildkit-client.ts";
import { diskUsage, info, listWorkers, prune } from "./daemon-control.ts";
import { GrpcChannel } from "./grpc/grpc-channel.ts";
import { solve } from "./solve/solve.ts";

/** The part of `connectBuildkit` that loads HTTP/2 and protobuf. */
export async function openClient(stream: Duplex, options: ConnectBuildkitOptions): Promise<BuildkitClient> {
  const channel = new GrpcChannel(stream);
  const close = async () => {
    channel.close();
    await channel.closed;
  };
  try {
    await info(channel, options);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    info: (call = {}) => info(channel, call),
    listWorkers: (call = {}) => listWorkers(channel, call),
    diskUsage: (call = {}) => diskUsage(channel, call),
    prune: (pruneOptions = {}, call = {}) => prune(channel, pruneOptions, call),
    solve: (request, call = {}) => solve(channel, request, call),
    closed: channel.closed,
    close,
    [Symbol.asyncDispose]: close,
  };
}
