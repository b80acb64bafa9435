import { BuilderError } from "@slipway/core";

import type { GrpcChannel } from "../grpc/grpc-channel.ts";
import { GrpcStatusError } from "../grpc/grpc-status.ts";
import * as messages from "../messages.ts";
import { recordedError } from "./build-history.ts";
import { readErrorDetails } from "./error-details.ts";
import type { FailureRecord } from "./failure-record.ts";
import { solveError } from "./solve-error.ts";
import type { TransferProgress } from "./solve-request.ts";

/** What is known of a build that failed. */
export interface FailedBuild {
  readonly ref: string;
  readonly record: FailureRecord;
  readonly transfers: readonly TransferProgress[];
}

// The daemon gives a session up that misses two health checks, for example while this process is busy for half a minute.
const sessionLost = /no active session for /;

/** The error to throw for what the call to build ended with. A lost connection stays what it is. */
export async function explainFailure(channel: GrpcChannel, build: FailedBuild, error: unknown): Promise<unknown> {
  if (!(error instanceof GrpcStatusError)) return error;
  if (sessionLost.test(error.message)) return syncFailed(build, error);
  let status = error.statusDetails && messages.decode(messages.RpcStatus, error.statusDetails);
  if (error.reset) status = await recordedError(channel, build.ref).catch(() => undefined);
  const details = readErrorDetails(status?.details ?? []);
  return solveError(status?.message || error.message, details, build.record, error);
}

function syncFailed({ transfers }: FailedBuild, cause: Error): BuilderError<"CONTEXT_SYNC_FAILED"> {
  const sentBytes = transfers.reduce((sum, transfer) => sum + transfer.sentBytes, 0);
  const message = `BuildKit lost the session with this process after ${sentBytes} bytes of the context. Build again; keep the event loop free meanwhile.`;
  return new BuilderError({ code: "CONTEXT_SYNC_FAILED", message, details: { sentBytes }, cause });
}

/** The error for a build that its signal ended. */
export function abortedError(signal: AbortSignal): unknown {
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
