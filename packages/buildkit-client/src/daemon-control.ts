import type { CacheRecord, DaemonCall, DaemonInfo, PruneCacheOptions, WorkerInfo } from "./daemon-info.ts";
import type { GrpcChannel } from "./grpc/grpc-channel.ts";
import { grpcCode, GrpcStatusError } from "./grpc/grpc-status.ts";
import * as messages from "./messages.ts";
import type { Message } from "./protobuf/message-type.ts";

const control = "/moby.buildkit.v1.Control";

/** Asks for the version. Daemons before 0.11 do not know the question, and are there all the same. */
export async function info(channel: GrpcChannel, call: DaemonCall): Promise<DaemonInfo> {
  try {
    const response = await channel.unary(`${control}/Info`, messages.encode(messages.InfoRequest, {}), call);
    const { buildkitVersion } = messages.decode(messages.InfoResponse, response);
    return {
      ...(buildkitVersion?.version ? { version: buildkitVersion.version } : {}),
      ...(buildkitVersion?.dockerfileVersion ? { dockerfileVersion: buildkitVersion.dockerfileVersion } : {}),
    };
  } catch (error) {
    if (error instanceof GrpcStatusError && error.status === grpcCode.unimplemented) return {};
    throw error;
  }
}

/** Asks for the workers, the default one first. */
export async function listWorkers(channel: GrpcChannel, call: DaemonCall): Promise<readonly WorkerInfo[]> {
  const response = await channel.unary(
    `${control}/ListWorkers`,
    messages.encode(messages.ListWorkersRequest, {}),
    call,
  );
  return messages.decode(messages.ListWorkersResponse, response).record.map(workerInfo);
}

/** Asks for all records of the cache. */
export async function diskUsage(channel: GrpcChannel, call: DaemonCall): Promise<readonly CacheRecord[]> {
  const response = await channel.unary(`${control}/DiskUsage`, messages.encode(messages.DiskUsageRequest, {}), call);
  return messages.decode(messages.DiskUsageResponse, response).record.map(cacheRecord);
}

/** Drops records of the cache; returns those that are gone. */
export async function prune(
  channel: GrpcChannel,
  options: PruneCacheOptions,
  call: DaemonCall,
): Promise<readonly CacheRecord[]> {
  const pruned: CacheRecord[] = [];
  const keepBytes = BigInt(options.keepBytes ?? 0);
  const request = messages.encode(messages.PruneRequest, {
    all: options.all ?? false,
    keepDuration: BigInt(options.unusedForMs ?? 0) * 1_000_000n,
    // Before 0.17 the limit was what is now the reserved space.
    reservedSpace: keepBytes,
    maxUsedSpace: keepBytes,
  });
  const onMessage = (message: Buffer) => pruned.push(cacheRecord(messages.decode(messages.UsageRecord, message)));
  await channel.stream(`${control}/Prune`, request, { ...call, onMessage });
  return pruned;
}

function workerInfo({ id, labels, platforms }: Message<typeof messages.WorkerRecord>): WorkerInfo {
  return {
    id,
    labels,
    platforms: platforms.map(({ os, architecture, variant }) => [os, architecture, variant].filter(Boolean).join("/")),
  };
}

function cacheRecord(record: Message<typeof messages.UsageRecord>): CacheRecord {
  const { id, recordType: kind, description, inUse, shared, createdAt, lastUsedAt } = record;
  return {
    id,
    kind,
    description,
    sizeBytes: Number(record.size),
    inUse,
    shared,
    ...(createdAt ? { createdMs: Number(createdAt.seconds) * 1000 + createdAt.nanos / 1e6 } : {}),
    ...(lastUsedAt ? { lastUsedMs: Number(lastUsedAt.seconds) * 1000 + lastUsedAt.nanos / 1e6 } : {}),
  };
}
