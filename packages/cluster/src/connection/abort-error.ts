import { BuilderError, unlessAborted } from "@slipway/core";

/** What to reject with once `signal` has fired: its reason if that is one of ours, else code ABORTED. */
export function abortError(signal: AbortSignal): BuilderError {
  const reason: unknown = signal.reason;
  if (BuilderError.isInstance(reason)) return reason;
  const text = reason instanceof Error ? reason.message : String(reason);
  return new BuilderError({
    code: "ABORTED",
    message: `Aborted: ${text}`,
    details: { reason: text },
    cause: reason,
  });
}

/** Settles with `promise`, or rejects as soon as `signal` fires. */
export async function orAborted<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  return signal === undefined ? promise : unlessAborted(promise, signal, abortError);
}

/** Waits `delayMs`. @throws BuilderError with code ABORTED, or the reason of `signal` */
export async function delay(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  try {
    await orAborted(new Promise<void>((resolve) => (timer = setTimeout(resolve, delayMs))), signal);
  } finally {
    clearTimeout(timer);
  }
}
