/** Lets a number of things happen at a time; the rest wait in the order in which they came. */
export interface ConcurrencyLimit {
  /** @param signal - Leaves the line when it fires; what has begun is not up to it. @throws its reason, or what `work` throws */
  run<Value>(work: () => Promise<Value>, signal?: AbortSignal): Promise<Value>;
}

/** @param max - How many may happen at a time. */
export function createConcurrencyLimit(max: number): ConcurrencyLimit {
  const line = new Set<() => void>();
  let running = 0;
  const turn = (signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const begin = (): void => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        line.delete(begin);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener("abort", leave, { once: true });
      line.add(begin);
    });
  return {
    async run(work, signal) {
      signal?.throwIfAborted();
      if (running < max) running++;
      else await turn(signal);
      try {
        return await work();
      } finally {
        // The place is handed over: whoever comes in between must not take it.
        const [next] = line;
        if (next === undefined) running--;
        else {
          line.delete(next);
          next();
        }
      }
    },
  };
}
