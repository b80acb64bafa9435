import { BuilderError } from "@slipway/core";

/** Waits for an answer, also one that somebody else has asked for, and no longer than one's own signal allows. @throws the abort */
export async function unlessAborted<Answer>(answer: Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  const { promise: left, reject } = Promise.withResolvers<never>();
  const leave = (): void => {
    reject(abortedError(signal));
  };
  if (signal.aborted) leave();
  signal.addEventListener("abort", leave, { once: true });
  try {
    return await Promise.race([answer, left]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}

/** The error for a signal that has fired. */
export function abortedError({ reason }: AbortSignal): BuilderError {
  if (BuilderError.isInstance(reason)) return reason;
  const text = reason instanceof Error ? reason.message : String(reason);
  return new BuilderError({
    code: "ABORTED",
    message: `Looking for credentials was aborted: ${text}`,
    details: { reason: text },
  });
}
