import { BuilderError } from "./builder-error.ts";
import type { BuildRequest } from "./builder-driver.ts";
import type { Context } from "./context.ts";
import { isFileSink } from "./output.ts";
import type { Output } from "./output.ts";

/** What attempts at one build share. */
export interface Attempts<Result> {
  /** Further attempts after the first. */
  readonly retries: number;
  readonly signal: AbortSignal;
  readonly attempt: (request: BuildRequest) => Promise<Result>;
  readonly onRetry: (attempt: number, error: BuilderError) => void;
}

const firstPauseMs = 500;

/**
 * Builds, and builds again when the infrastructure let the build down: only for a `retryable` error, never once the signal has fired, and
 * never after a function of the caller has taken a part of an archive, because it cannot give it back.
 */
export async function buildWithRetries<Result>(guard: GuardedRequest, attempts: Attempts<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attempts.attempt(guard.request);
    } catch (thrown) {
      const error = BuilderError.from(thrown);
      const hopeless = !error.retryable || error.code === "BUILD_FAILED" || guard.sinkUsed();
      if (hopeless || attempts.signal.aborted || attempt > attempts.retries) throw error;
      attempts.onRetry(attempt + 1, error);
      await pause(firstPauseMs * 2 ** (attempt - 1), attempts.signal);
    }
  }
}

/** A request whose tars and sinks are watched. */
export interface GuardedRequest {
  readonly request: BuildRequest;
  /** Whether a function of the caller has taken a part of an archive. */
  readonly sinkUsed: () => boolean;
}

/** The request with its tars and sinks watched. */
export function guardRequest(request: BuildRequest): GuardedRequest {
  let used = false;
  const watchOutput = (output: Output): Output => {
    if (!("destination" in output) || isFileSink(output.destination)) return output;
    const { destination } = output;
    return {
      ...output,
      destination: (archive, call) => {
        used = true;
        return destination(archive, call);
      },
    };
  };
  const contexts = Object.fromEntries(
    Object.entries(request.contexts).map(([name, context]) => [name, watchTar(context)]),
  );
  const watched = {
    ...request,
    context: watchTar(request.context),
    contexts,
    outputs: request.outputs.map(watchOutput),
  };
  return { request: watched, sinkUsed: () => used };
}

/** A tar whose second reading is the exhausted first one would build an empty context. */
function watchTar(context: Context): Context {
  if (context.type !== "tar") return context;
  const handedOut = new WeakSet<object>();
  const read = () => {
    const bytes = context.read();
    const reader: unknown = bytes[Symbol.asyncIterator]();
    if (handedOut.has(bytes) && reader === bytes) throw oneShotTar();
    handedOut.add(bytes);
    return bytes;
  };
  return { type: "tar", read };
}

function oneShotTar(): BuilderError<"CONTEXT_INVALID"> {
  return new BuilderError({
    code: "CONTEXT_INVALID",
    message:
      "The tar context returned a stream that was read before, so the build could not read it again. Open it anew in each call of read.",
    details: { path: "tar" },
  });
}

function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, durationMs);
    signal.addEventListener("abort", stop, { once: true });
  });
}
