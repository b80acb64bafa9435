import { abortError } from "./registry-error.ts";

/** Waits for what somebody else has begun, and no longer than one's own signal allows. @throws the abort, and what is awaited throws */
export async function waitUnlessAborted<Value>(awaited: Promise<Value>, signal: AbortSignal): Promise<Value> {
  if (signal.aborted) throw abortError(signal);
  const { promise: left, reject } = Promise.withResolvers<never>();
  const leave = (): void => {
    reject(abortError(signal));
  };
  signal.addEventListener("abort", leave, { once: true });
  try {
    return await Promise.race([awaited, left]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
