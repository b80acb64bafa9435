import { setTimeout as delay } from "node:timers/promises";

import { BuilderError } from "@slipway/core/errors";

import { abortError } from "../registry-requests.ts";

const delaysMs = [0, 250, 1_000, 2_000, 4_000];

/** Counts the failures that follow one another without any progress in between. */
export interface Retries {
  /** Waits before the next attempt. @throws the error itself, when another attempt is of no use or one too many */
  after(error: unknown): Promise<void>;
  /** Something has worked: failures are counted anew. */
  reset(): void;
}

/** @param signal - Ends the waiting, too. */
export function createRetries(signal: AbortSignal): Retries {
  let failures = 0;
  return {
    reset: () => {
      failures = 0;
    },
    after: async (error) => {
      if (signal.aborted) throw abortError(signal);
      const delayMs = delaysMs[failures++];
      if (delayMs === undefined || !isPassing(error)) throw error;
      if (delayMs === 0) return;
      await delay(delayMs, undefined, { signal }).catch(() => {
        throw abortError(signal);
      });
    },
  };
}

/** Out of reach, busy; or an upload that is not where the client believes it to be, which asking for its status clears up. */
function isPassing(error: unknown): boolean {
  if (!BuilderError.isInstance(error)) return false;
  if (error.retryable) return true;
  const status = error.code === "REGISTRY_REFUSED" ? error.details.status : undefined;
  return status === 404 || status === 416;
}
