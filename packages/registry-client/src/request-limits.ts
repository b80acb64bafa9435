/** Lets a number of things happen at a time; the rest wait in the order in which they came. */
export interface ConcurrencyLimit {
  run<Value>(work: () => Promise<Value>): Promise<Value>;
}

/** @param max - How many may happen at a time. */
export function createConcurrencyLimit(max: number): ConcurrencyLimit {
  const waiting: (() => void)[] = [];
  let running = 0;
  return {
    async run(work) {
      if (running >= max) await new Promise<void>((resolve) => waiting.push(resolve));
      running++;
      try {
        return await work();
      } finally {
        running--;
        waiting.shift()?.();
      }
    },
  };
}
