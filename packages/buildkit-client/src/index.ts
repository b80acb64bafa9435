/**
 * BuildKit's gRPC and session protocol over any Duplex stream.
 *
 * @packageDocumentation
 */
export type { BuildkitClient, ConnectBuildkitOptions } from "./buildkit-client.ts";
export { connectBuildkit } from "./buildkit-client.ts";
export { ConnectionLostError, isConnectionLost } from "./connection-lost-error.ts";
export type { CacheRecord, DaemonCall, DaemonInfo, PruneCacheOptions, WorkerInfo } from "./daemon-info.ts";
export type { ContextFiles } from "./file-sync/expected-filter.ts";
export type { PreparedContext } from "./prepare-context.ts";
export { prepareContext } from "./prepare-context.ts";
export { GrpcStatusError } from "./grpc/grpc-status.ts";
export type { ImageResolver, ImageResolverOptions, ResolveImageRequest } from "./solve/resolve-image.ts";
export type { ReceivedFiles, ReceivedFilesStore, ReceivedWalk } from "./solve/received-files.ts";
export type {
  BuildCredentials,
  BuildSession,
  BuildToken,
  CacheEntry,
  Exporter,
  InMemoryFiles,
  SecretLookup,
  SolveCall,
  SolveRequest,
  SolveResponse,
  TokenAuthority,
  TokenRequest,
  TransferProgress,
} from "./solve/solve-request.ts";
export type { StatusUpdate, Vertex, VertexLog, VertexProgress, VertexWarning } from "./solve/status-update.ts";
