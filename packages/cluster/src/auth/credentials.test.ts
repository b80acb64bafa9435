import { expect, test } from "vitest";

import { cacheCredentials } from "./credentials.ts";
import type { Credentials } from "./credentials.ts";

function clock(): { now: () => number; advance: (ms: number) => void } {
  let time = 1_000_000;
  return { now: () => time, advance: (ms) => (time += ms) };
}

test("many requests at once load one time", async () => {
  let loads = 0;
  const source = cacheCredentials(() => Promise.resolve({ headers: { authorization: String((loads += 1)) } }), true);
  const all = await Promise.all(Array.from({ length: 50 }, () => source.get()));
  expect(new Set(all.map(({ headers }) => headers.authorization))).toEqual(new Set(["1"]));
});

test("renews before the expiry, in a process that lives for hours", async () => {
  const { now, advance } = clock();
  let loads = 0;
  const load = (): Promise<Credentials> =>
    Promise.resolve({ headers: { load: String((loads += 1)) }, expiresAtMs: now() + 3_600_000 });
  const source = cacheCredentials(load, true, now);
  for (let hour = 0; hour < 5; hour += 1) {
    for (let minute = 0; minute < 60; minute += 1) {
      const { expiresAtMs = 0 } = await source.get();
      expect(expiresAtMs).toBeGreaterThan(now());
      advance(60_000);
    }
  }
  expect(loads).toBeGreaterThanOrEqual(5);
  expect(loads).toBeLessThan(8);
});

test("a refused token is replaced once, also when several requests were refused", async () => {
  let loads = 0;
  const source = cacheCredentials(() => Promise.resolve({ headers: { load: String((loads += 1)) } }), true);
  const refused = await source.get();
  const [one, other] = await Promise.all([source.replace(refused), source.replace(refused)]);
  expect(one?.headers.load).toBe("2");
  expect(other).toBe(one);
  expect(await source.replace(refused)).toBe(one);
});

test("a token that cannot change is not tried again", async () => {
  const source = cacheCredentials(() => Promise.resolve({ headers: {} }), false);
  expect(await source.replace(await source.get())).toBeUndefined();
});

test("a failure is not remembered", async () => {
  let loads = 0;
  const source = cacheCredentials(
    () => ((loads += 1) === 1 ? Promise.reject(new Error("no")) : Promise.resolve({ headers: {} })),
    true,
  );
  await expect(source.get()).rejects.toThrow("no");
  await expect(source.get()).resolves.toEqual({ headers: {} });
});
