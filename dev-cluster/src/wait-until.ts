import { setTimeout as delay } from "node:timers/promises";

import { ClusterFailure } from "./failure.ts";

/** Polls until `check` gives true; errors count as "not yet", and the last one is told when time is up. */
export async function waitUntil(
  what: string,
  check: () => Promise<boolean>,
  options: { timeoutMs: number; logFile?: string; everyMs?: number },
): Promise<void> {
  const deadline = Date.now() + options.timeoutMs;
  let cause: unknown;
  while (Date.now() < deadline) {
    try {
      if (await check()) return;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await delay(options.everyMs ?? 100);
  }
  const detail = cause instanceof Error ? `: ${cause.message}` : "";
  throw new ClusterFailure(`Not within ${options.timeoutMs / 1000} s: ${what}${detail}.`, {
    remedy: "See the log. `up` again starts the cluster anew; `down --purge` forgets its state first.",
    logFile: options.logFile,
    cause,
  });
}
