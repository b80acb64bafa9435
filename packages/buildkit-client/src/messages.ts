/**
 * Everything that needs protobuf-es. Loading it takes about 50 ms, so it comes with `open-client.ts`, which is imported once a
 * connection is opened, and never with `index.ts`.
 */
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";

export {
  BuildHistoryEventSchema as BuildHistoryEvent,
  BuildHistoryRequestSchema as BuildHistoryRequest,
  DiskUsageRequestSchema as DiskUsageRequest,
  DiskUsageResponseSchema as DiskUsageResponse,
  InfoRequestSchema as InfoRequest,
  InfoResponseSchema as InfoResponse,
  ListWorkersRequestSchema as ListWorkersRequest,
  ListWorkersResponseSchema as ListWorkersResponse,
  PruneRequestSchema as PruneRequest,
  SolveRequestSchema as SolveRequest,
  SolveResponseSchema as SolveResponse,
  StatusRequestSchema as StatusRequest,
  StatusResponseSchema as StatusResponse,
  UsageRecordSchema as UsageRecord,
} from "./gen/control_pb.ts";
export {
  ReadContentRequestSchema as ReadContentRequest,
  ReadContentResponseSchema as ReadContentResponse,
} from "./gen/content_pb.ts";
export {
  ResolveImageConfigRequestSchema as ResolveImageConfigRequest,
  ResolveImageConfigResponseSchema as ResolveImageConfigResponse,
  ReturnRequestSchema as ReturnRequest,
} from "./gen/gateway_pb.ts";
export {
  CredentialsRequestSchema as CredentialsRequest,
  CredentialsResponseSchema as CredentialsResponse,
  GetSecretRequestSchema as GetSecretRequest,
  GetSecretResponseSchema as GetSecretResponse,
  HealthCheckResponseSchema as HealthCheckResponse,
} from "./gen/session_pb.ts";
export { StatusSchema as RpcStatus } from "./gen/status_pb.ts";

/** The bytes of a message. */
export function encode<Desc extends DescMessage>(schema: Desc, fields: MessageInitShape<Desc>): Uint8Array {
  return toBinary(schema, create(schema, fields));
}

/** A message from its bytes. */
export function decode<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  return fromBinary(schema, bytes);
}
