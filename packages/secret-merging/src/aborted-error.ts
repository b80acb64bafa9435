import { BuilderError } from "@slipway/core";

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
