/** Pauses between attempts: 0.1 s, doubled up to 10 s, each up to a quarter longer so that many clients do not come at once. */
export interface Backoff {
  nextMs(): number;
  /** After a success. */
  reset(): void;
}

const firstMs = 100;
const longestMs = 10_000;

/** @param random - in [0, 1) */
export function createBackoff(random: () => number = Math.random): Backoff {
  let attempt = 0;
  return {
    nextMs: () => Math.min(longestMs, firstMs * 2 ** attempt++) * (1 + random() / 4),
    reset: () => (attempt = 0),
  };
}
