import { randomBytes } from "node:crypto";

import { BuilderError } from "@slipway/core";

import { archiveService, fileSendMethod } from "../file-sync/archive-receiver.ts";
import { FileSyncService } from "../file-sync/file-sync-service.ts";
import type { GrpcChannel } from "../grpc/grpc-channel.ts";
import { GrpcStatusError } from "../grpc/grpc-status.ts";
import * as messages from "../messages.ts";
import type { SessionHandler } from "../session/session-server.ts";
import { openSession } from "../session/session-server.ts";
import { authService, healthService, secretsService } from "../session/session-services.ts";
import { recordedError } from "./build-history.ts";
import { readErrorDetails } from "./error-details.ts";
import { FailureRecord } from "./failure-record.ts";
import { solveError } from "./solve-error.ts";
import type { SolveCall, SolveRequest, SolveResponse } from "./solve-request.ts";
import { followStatus } from "./status-stream.ts";

const method = "/moby.buildkit.v1.Control/Solve";
// What a killed process in the daemon takes to be gone; then the caller is told in any case.
const cancelGraceMs = 2000;

/** Runs one build: session, solve and status start together, because the daemon waits for each of them only for seconds. */
export async function solve(channel: GrpcChannel, request: SolveRequest, call: SolveCall): Promise<SolveResponse> {
  const { signal } = call;
  if (signal?.aborted) throw abortedError(signal);
  const ref = request.ref ?? randomId();
  const sessionId = randomId();
  const cancel = new AbortController();
  const files = new FileSyncService(request.session.localDirectories, call.onTransfer ?? (() => undefined));
  const handlers = sessionHandlers(request, files, cancel.signal);
  const record = new FailureRecord();
  const session = openSession(channel, { id: sessionId, sharedKey: request.session.sharedKey, handlers });
  const onAbort = () => {
    cancel.abort();
    session.close();
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  const status = followStatus(channel, ref, (update) => {
    record.add(update);
    call.onStatus?.(update);
  });
  try {
    const wire = messages.encode(messages.SolveRequest, wireRequest(request, ref, sessionId));
    const response = await channel.unary(method, wire, { signal: cancel.signal });
    await status.finish();
    const { exporterResponse } = messages.decode(messages.SolveResponse, response);
    return { ref, exporterResponse, transfers: files.transfers };
  } catch (error) {
    if (signal && cancel.signal.aborted) {
      await status.finish(cancelGraceMs);
      throw abortedError(signal);
    }
    await status.finish();
    if (BuilderError.isInstance(session.failure)) throw session.failure;
    throw await explain(channel, ref, record, error);
  } finally {
    signal?.removeEventListener("abort", onAbort);
    cancel.abort();
    status.cancel();
    session.close();
  }
}

function sessionHandlers(
  request: SolveRequest,
  files: FileSyncService,
  signal: AbortSignal,
): ReadonlyMap<string, SessionHandler> {
  const { credentials, secrets } = request.session;
  const handlers = new Map<string, SessionHandler>([
    healthService(),
    [FileSyncService.method, files.handle],
    authService(credentials),
    secretsService(secrets ?? (() => Promise.resolve(undefined))),
  ]);
  const sinks = request.exporters.map((exporter) => exporter.sink);
  if (sinks.some((sink) => sink !== undefined)) handlers.set(fileSendMethod, archiveService(sinks, signal));
  return handlers;
}

/** Daemons before 0.13 read the two deprecated fields, and frontends see cache imports only through an attribute. */
function wireRequest(request: SolveRequest, ref: string, session: string) {
  const exporters = request.exporters.map(({ type, attributes }) => ({ type, attrs: { ...attributes } }));
  const imports = (request.cacheImports ?? []).map(({ type, attributes }) => ({ type, attrs: { ...attributes } }));
  const exports = (request.cacheExports ?? []).map(({ type, attributes }) => ({ type, attrs: { ...attributes } }));
  const cacheImports = JSON.stringify(imports.map(({ type, attrs }) => ({ Type: type, Attrs: attrs })));
  return {
    ref,
    session,
    frontend: request.frontend,
    frontendAttrs: { ...request.frontendAttributes, ...(imports.length > 0 ? { "cache-imports": cacheImports } : {}) },
    cache: { imports, exports },
    entitlements: [...(request.entitlements ?? [])],
    exporters,
    exporterDeprecated: exporters[0]?.type ?? "",
    exporterAttrsDeprecated: exporters[0]?.attrs ?? {},
  };
}

async function explain(channel: GrpcChannel, ref: string, record: FailureRecord, error: unknown): Promise<unknown> {
  if (!(error instanceof GrpcStatusError)) return error;
  let status = error.statusDetails && messages.decode(messages.RpcStatus, error.statusDetails);
  if (error.reset) status = await recordedError(channel, ref).catch(() => undefined);
  const details = readErrorDetails(status?.details ?? []);
  return solveError(status?.message || error.message, details, record, error);
}

function abortedError(signal: AbortSignal): unknown {
  const cause: unknown = signal.reason;
  if (BuilderError.isInstance(cause)) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BuilderError({
    code: "ABORTED",
    message: `The build was cancelled: ${reason}`,
    details: { reason },
    cause,
  });
}

function randomId(): string {
  return randomBytes(16).toString("hex");
}
