import { BuilderError } from "@slipway/core";

import { archiveService, fileSendMethod } from "../file-sync/archive-receiver.ts";
import { FileSyncService } from "../file-sync/file-sync-service.ts";
import type { GrpcChannel } from "../grpc/grpc-channel.ts";
import * as messages from "../messages.ts";
import type { SessionHandler, SessionHandlers } from "../session/session-server.ts";
import { openSession } from "../session/session-server.ts";
import { authServices, healthService, secretsService } from "../session/session-services.ts";
import { waitUntilInactive } from "./build-history.ts";
import { abortedError, explainFailure } from "./explain-failure.ts";
import { FailureRecord } from "./failure-record.ts";
import { FileSession } from "./file-session.ts";
import { randomId } from "./random-id.ts";
import { solveMessage } from "./solve-message.ts";
import type { SolveCall, SolveRequest, SolveResponse } from "./solve-request.ts";
import { followStatus } from "./status-stream.ts";

const method = "/moby.buildkit.v1.Control/Solve";
/** Runs one build: session, solve and status start together, because the daemon waits for each of them only for seconds. */
export async function solve(channel: GrpcChannel, request: SolveRequest, call: SolveCall): Promise<SolveResponse> {
  const { signal } = call;
  if (signal?.aborted) throw abortedError(signal);
  const ref = request.ref ?? randomId();
  const sessionId = randomId();
  const cancel = new AbortController();
  const record = new FailureRecord();
  const files = new FileSyncService(request.session, call.onTransfer ?? (() => undefined));
  const fileSession = await FileSession.open(channel, request.session, files);
  if (signal?.aborted) {
    fileSession?.close();
    throw abortedError(signal);
  }
  const session = openSession(channel, {
    id: sessionId,
    sharedKey: request.session.sharedKey,
    handlers: sessionHandlers(request, files, cancel.signal),
  });
  const status = followStatus(channel, ref, (update) => {
    record.add(update);
    call.onStatus?.(update);
  });
  const onAbort = () => {
    cancel.abort();
    session.close();
    fileSession?.close();
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const message = messages.encode(
      messages.SolveRequest,
      solveMessage(withAttributes(request, fileSession), ref, sessionId),
    );
    const response = await channel.unary(method, message, { signal: cancel.signal });
    await Promise.all([status.finish(), fileSession?.end()]);
    files.reportUnasked();
    const { exporterResponse } = messages.decode(messages.SolveResponse, response);
    return { ref, exporterResponse, transfers: files.transfers };
  } catch (error) {
    await status.finish();
    if (signal && cancel.signal.aborted) {
      // The end of its status is not the end of a build that was stopped before it had any.
      await waitUntilInactive(channel, ref);
      throw abortedError(signal);
    }
    await fileSession?.end();
    const failure = session.failure ?? fileSession?.failure;
    if (BuilderError.isInstance(failure)) throw failure;
    throw await explainFailure(channel, { ref, record, transfers: files.transfers }, error);
  } finally {
    signal?.removeEventListener("abort", onAbort);
    status.cancel();
    session.close();
    fileSession?.close();
  }
}

function withAttributes(request: SolveRequest, fileSession: FileSession | undefined): SolveRequest {
  const frontendAttributes = { ...request.frontendAttributes, ...fileSession?.attributes };
  return { ...request, frontendAttributes };
}

function sessionHandlers(request: SolveRequest, files: FileSyncService, signal: AbortSignal): SessionHandlers {
  const { credentials, tokens, secrets = () => Promise.resolve(undefined) } = request.session;
  const services: [string, SessionHandler][] = [
    healthService(),
    [FileSyncService.method, files.handle],
    ...authServices(credentials, tokens),
    secretsService(secrets),
  ];
  const sinks = request.exporters.map((exporter) => exporter.sink);
  if (sinks.some((sink) => sink !== undefined)) services.push([fileSendMethod, archiveService(sinks, signal)]);
  return new Map(services);
}
