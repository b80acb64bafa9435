import { BuilderError } from "./builder-error.ts";

/** Everything that can end one call: the caller's signal, a deadline, `cancel` and `close`, in one signal. */
export interface CallScope extends Disposable {
  /** Its reason is always a `BuilderError`: `ABORTED` or `TIMEOUT`. */
  readonly signal: AbortSignal;
  /** The first one wins. `supersededBy`: id of the build that takes its place. */
  abort(reason: string, supersededBy?: string): void;
  /** Starts the clock: the wait in the queue does not count. */
  startDeadline(): void;
  /** What is left until the deadline; undefined without one. */
  remainingMs(): number | undefined;
}

/**
 * @param what Named in the errors: `build "api"`, `prune`.
 * @param outer The caller's signal.
 */
export function createCallScope(
  what: string,
  outer: AbortSignal | undefined,
  timeoutMs: number | undefined,
): CallScope {
  const controller = new AbortController();
  const abort = (reason: string, supersededBy?: string) =>
    controller.abort(abortedError(what, reason, { supersededBy }));
  const follow = () => controller.abort(outerError(what, outer?.reason));
  let timer: NodeJS.Timeout | undefined;
  let deadlineMs: number | undefined;
  if (outer?.aborted === true) follow();
  else outer?.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    abort,
    startDeadline() {
      if (timeoutMs === undefined || deadlineMs !== undefined) return;
      deadlineMs = performance.now() + timeoutMs;
      timer = setTimeout(() => controller.abort(timeoutError(what, timeoutMs)), timeoutMs);
    },
    remainingMs: () => (deadlineMs === undefined ? timeoutMs : Math.max(1, Math.ceil(deadlineMs - performance.now()))),
    [Symbol.dispose]() {
      clearTimeout(timer);
      outer?.removeEventListener("abort", follow);
    },
  };
}

/** The error of something that was stopped on purpose. */
export function abortedError(
  what: string,
  reason: string,
  { cause, supersededBy }: { readonly cause?: unknown; readonly supersededBy?: string | undefined } = {},
): BuilderError<"ABORTED"> {
  return new BuilderError({
    code: "ABORTED",
    message: `The ${what} was canceled: ${reason}.`,
    details: { reason, ...(supersededBy === undefined ? {} : { supersededBy }) },
    cause,
  });
}

function timeoutError(what: string, timeoutMs: number): BuilderError<"TIMEOUT"> {
  return new BuilderError({
    code: "TIMEOUT",
    message: `The ${what} did not finish within ${timeoutMs} ms and was stopped. Raise timeoutMs if it needs longer.`,
    details: { timeoutMs },
  });
}

function outerError(what: string, reason: unknown): BuilderError {
  if (BuilderError.isInstance(reason) && (reason.code === "ABORTED" || reason.code === "TIMEOUT")) return reason;
  return abortedError(what, outerReason(reason), { cause: reason });
}

/** `controller.abort()` without a reason leaves a sentence about "this operation", which says nothing. */
function outerReason(reason: unknown): string {
  if (typeof reason === "string" && reason !== "") return reason;
  if (reason instanceof Error && reason.name !== "AbortError" && reason.message !== "") return reason.message;
  return "the caller's signal fired";
}

/**
 * The error of a call, from whatever was thrown: what is thrown after the signal has fired is the abort, with what was thrown as its cause
 * unless that is an abort too.
 */
export function callError(thrown: unknown, scope: CallScope, driver: string): BuilderError {
  const error = BuilderError.from(thrown);
  if (!scope.signal.aborted) return withDriver(error, driver);
  const reason = scope.signal.reason as BuilderError;
  const expected = error === reason || error.code === "ABORTED" || error.code === "TIMEOUT";
  return withDriver(expected ? reason : new BuilderError({ ...reason.toJSON(), cause: error }), driver);
}

/** The same error with the driver at work named, unless an inner driver has been already. */
function withDriver(error: BuilderError, driver: string): BuilderError {
  if (error.driver !== undefined) return error;
  const named = new BuilderError({ ...error.toJSON(), driver, cause: error.cause });
  if (error.stack !== undefined) named.stack = error.stack;
  return named;
}
