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
