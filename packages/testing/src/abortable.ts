/** Waits as long as a step takes; rejects with the signal's reason once that fires. Zero does not wait at all. */
export function abortable(durationMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) reject(signal.reason as Error);
    if (durationMs === 0) resolve();
    if (signal?.aborted === true || durationMs === 0) return;
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, durationMs);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** Waits for what may take no notice of a signal; rejects with the signal's reason once that fires. */
export async function unlessAborted<Value>(awaited: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise: left, reject } = Promise.withResolvers<never>();
  const leave = () => reject(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) leave();
  try {
    return await Promise.race([left, awaited]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
