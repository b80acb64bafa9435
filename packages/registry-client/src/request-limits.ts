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
      if (running < max) running++;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await work();
      } finally {
        // The place is handed over: whoever comes in between must not take it.
        const next = waiting.shift();
        if (next === undefined) running--;
        else next();
      }
    },
  };
}
