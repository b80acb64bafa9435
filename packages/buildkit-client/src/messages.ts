/**
 * The messages of BuildKit's gRPC services, as far as they are used; the field numbers are BuildKit's. `proto/` has them in protobuf's own language, from
 * which the tests make the same messages with protobuf-es and compare the bytes: that library takes 80 ms of CPU to load, in each process that builds.
 */
import { messageType, nested, repeated, scalar, scalars, stringMap } from "./protobuf/message-type.ts";

export { decode } from "./protobuf/decode.ts";
export { encode } from "./protobuf/encode.ts";

export const Timestamp = messageType({
  seconds: scalar("int64", 1),
  nanos: scalar("int32", 2),
});

export const Any = messageType({
  typeUrl: scalar("string", 1),
  value: scalar("bytes", 2),
});

export const RpcStatus = messageType({
  code: scalar("int32", 1),
  message: scalar("string", 2),
  // BuildKit fills the values with JSON, not with protobuf messages.
  details: repeated(Any, 3),
});

export const CacheOptionsEntry = messageType({
  type: scalar("string", 1),
  attrs: stringMap(2),
});

export const CacheOptions = messageType({
  exports: repeated(CacheOptionsEntry, 4),
  imports: repeated(CacheOptionsEntry, 5),
});

export const Exporter = messageType({
  type: scalar("string", 1),
  attrs: stringMap(2),
});

export const SolveRequest = messageType({
  ref: scalar("string", 1),
  // Exporters before 0.13 knew these two instead of field 13.
  exporterDeprecated: scalar("string", 3),
  exporterAttrsDeprecated: stringMap(4),
  session: scalar("string", 5),
  frontend: scalar("string", 6),
  frontendAttrs: stringMap(7),
  cache: nested(CacheOptions, 8),
  entitlements: scalars("string", 9),
  internal: scalar("bool", 11),
  exporters: repeated(Exporter, 13),
});

export const SolveResponse = messageType({
  exporterResponse: stringMap(1),
});

export const StatusRequest = messageType({
  ref: scalar("string", 1),
});

export const ProgressGroup = messageType({
  id: scalar("string", 1),
  name: scalar("string", 2),
  weak: scalar("bool", 3),
});

export const Vertex = messageType({
  digest: scalar("string", 1),
  inputs: scalars("string", 2),
  name: scalar("string", 3),
  cached: scalar("bool", 4),
  started: nested(Timestamp, 5),
  completed: nested(Timestamp, 6),
  error: scalar("string", 7),
  progressGroup: nested(ProgressGroup, 8),
});

export const VertexStatus = messageType({
  id: scalar("string", 1),
  vertex: scalar("string", 2),
  name: scalar("string", 3),
  current: scalar("int64", 4),
  total: scalar("int64", 5),
  timestamp: nested(Timestamp, 6),
  started: nested(Timestamp, 7),
  completed: nested(Timestamp, 8),
});

export const VertexLog = messageType({
  vertex: scalar("string", 1),
  timestamp: nested(Timestamp, 2),
  // 1 is stdout, 2 is stderr.
  stream: scalar("int64", 3),
  // Raw bytes: a chunk may end within a line or within a character.
  msg: scalar("bytes", 4),
});

export const SourceInfo = messageType({
  filename: scalar("string", 1),
  data: scalar("bytes", 2),
  language: scalar("string", 4),
});

/** Lines count from 1. */
export const Position = messageType({
  line: scalar("int32", 1),
  character: scalar("int32", 2),
});

export const Range = messageType({
  start: nested(Position, 1),
  end: nested(Position, 2),
});

export const VertexWarning = messageType({
  vertex: scalar("string", 1),
  level: scalar("int64", 2),
  short: scalar("bytes", 3),
  detail: scalars("bytes", 4),
  url: scalar("string", 5),
  info: nested(SourceInfo, 6),
  ranges: repeated(Range, 7),
});

/** Each response is a delta; the same vertex comes again whenever it changes. */
export const StatusResponse = messageType({
  vertexes: repeated(Vertex, 1),
  statuses: repeated(VertexStatus, 2),
  logs: repeated(VertexLog, 3),
  warnings: repeated(VertexWarning, 4),
});

export const InfoRequest = messageType({});

export const BuildkitVersion = messageType({
  package: scalar("string", 1),
  version: scalar("string", 2),
  revision: scalar("string", 3),
  dockerfileVersion: scalar("string", 4),
});

export const InfoResponse = messageType({
  buildkitVersion: nested(BuildkitVersion, 1),
});

export const ListWorkersRequest = messageType({
  filter: scalars("string", 1),
});

export const Platform = messageType({
  architecture: scalar("string", 1),
  os: scalar("string", 2),
  variant: scalar("string", 3),
  osVersion: scalar("string", 4),
});

/** Sizes in bytes, the duration in nanoseconds. */
export const GCPolicy = messageType({
  all: scalar("bool", 1),
  keepDuration: scalar("int64", 2),
  reservedSpace: scalar("int64", 3),
  filters: scalars("string", 4),
  maxUsedSpace: scalar("int64", 5),
  minFreeSpace: scalar("int64", 6),
});

export const WorkerRecord = messageType({
  id: scalar("string", 1),
  labels: stringMap(2),
  platforms: repeated(Platform, 3),
  gcPolicy: repeated(GCPolicy, 4),
  buildkitVersion: nested(BuildkitVersion, 5),
});

export const ListWorkersResponse = messageType({
  record: repeated(WorkerRecord, 1),
});

export const DiskUsageRequest = messageType({
  filter: scalars("string", 1),
});

export const UsageRecord = messageType({
  id: scalar("string", 1),
  mutable: scalar("bool", 2),
  inUse: scalar("bool", 3),
  size: scalar("int64", 4),
  createdAt: nested(Timestamp, 6),
  lastUsedAt: nested(Timestamp, 7),
  usageCount: scalar("int64", 8),
  description: scalar("string", 9),
  recordType: scalar("string", 10),
  shared: scalar("bool", 11),
  parents: scalars("string", 12),
});

export const DiskUsageResponse = messageType({
  record: repeated(UsageRecord, 1),
});

export const PruneRequest = messageType({
  filter: scalars("string", 1),
  all: scalar("bool", 2),
  keepDuration: scalar("int64", 3),
  reservedSpace: scalar("int64", 4),
  maxUsedSpace: scalar("int64", 5),
  minFreeSpace: scalar("int64", 6),
});

export const BuildHistoryRequest = messageType({
  activeOnly: scalar("bool", 1),
  ref: scalar("string", 2),
  earlyExit: scalar("bool", 3),
});

export const Descriptor = messageType({
  mediaType: scalar("string", 1),
  digest: scalar("string", 2),
  size: scalar("int64", 3),
});

export const BuildHistoryRecord = messageType({
  ref: scalar("string", 1),
  error: nested(RpcStatus, 5),
  createdAt: nested(Timestamp, 6),
  completedAt: nested(Timestamp, 7),
  // A google.rpc.Status in the content store, since 0.15; `error` lacks the details then.
  externalError: nested(Descriptor, 18),
});

export const BuildHistoryEvent = messageType({
  type: scalar("int32", 1),
  record: nested(BuildHistoryRecord, 2),
});

/** A size of 0 means everything. */
export const ReadContentRequest = messageType({
  digest: scalar("string", 1),
  offset: scalar("int64", 2),
  size: scalar("int64", 3),
});

export const ReadContentResponse = messageType({
  offset: scalar("int64", 1),
  data: scalar("bytes", 2),
});

/** moby.buildkit.v1.frontend.LLBBridge/ResolveImageConfig */
export const ResolveImageConfigRequest = messageType({
  ref: scalar("string", 1),
  platform: nested(Platform, 2),
  resolveMode: scalar("string", 3),
});

export const ResolveImageConfigResponse = messageType({
  digest: scalar("string", 1),
});

export const Result = messageType({});

/** moby.buildkit.v1.frontend.LLBBridge/Return */
export const ReturnRequest = messageType({
  result: nested(Result, 1),
});

/** grpc.health.v1.Health/Check */
export const HealthCheckResponse = messageType({
  // 1 is SERVING.
  status: scalar("int32", 1),
});

/** moby.filesync.v1.Auth/Credentials */
export const CredentialsRequest = messageType({
  host: scalar("string", 1),
});

export const CredentialsResponse = messageType({
  username: scalar("string", 1),
  secret: scalar("string", 2),
});

/** moby.filesync.v1.Auth/FetchToken */
export const FetchTokenRequest = messageType({
  clientId: scalar("string", 1),
  host: scalar("string", 2),
  realm: scalar("string", 3),
  service: scalar("string", 4),
  scopes: scalars("string", 5),
});

export const FetchTokenResponse = messageType({
  token: scalar("string", 1),
  // In seconds.
  expiresIn: scalar("int64", 2),
  // In seconds since the epoch.
  issuedAt: scalar("int64", 3),
});

/** moby.filesync.v1.Auth/GetTokenAuthority */
export const GetTokenAuthorityRequest = messageType({
  host: scalar("string", 1),
  salt: scalar("bytes", 2),
});

export const GetTokenAuthorityResponse = messageType({
  // Ed25519, 32 bytes.
  publicKey: scalar("bytes", 1),
});

/** moby.filesync.v1.Auth/VerifyTokenAuthority */
export const VerifyTokenAuthorityRequest = messageType({
  host: scalar("string", 1),
  payload: scalar("bytes", 2),
  salt: scalar("bytes", 3),
});

export const VerifyTokenAuthorityResponse = messageType({
  // The signature, 64 bytes, and after it the payload.
  signed: scalar("bytes", 1),
});

/** moby.buildkit.secrets.v1.Secrets/GetSecret */
export const GetSecretRequest = messageType({
  id: scalar("string", 1),
  annotations: stringMap(2),
});

export const GetSecretResponse = messageType({
  data: scalar("bytes", 1),
});
