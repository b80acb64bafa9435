/** A generator of reproducible choices. */
export interface RandomSource {
  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number;
  pick<Value>(values: readonly Value[]): Value;
  /** Takes the first values more often than the last. */
  prefer<Value>(values: readonly Value[]): Value;
  chance(probability: number): boolean;
}

/** The mulberry32 sequence of a seed. */
export function createRandomSource(seed: number): RandomSource {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const at = <Value>(values: readonly Value[], fraction: number): Value => {
    const value = values[Math.floor(fraction * values.length)];
    if (value === undefined) throw new RangeError("nothing to pick from");
    return value;
  };
  return {
    below: (limit) => Math.floor(next() * limit),
    pick: (values) => at(values, next()),
    prefer: (values) => at(values, next() ** 3),
    chance: (probability) => next() < probability,
  };
}
