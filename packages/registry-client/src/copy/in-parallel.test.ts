import { expect, it } from "vitest";

import { inParallel } from "./in-parallel.ts";

it("keeps the order, and the limit", async () => {
  let running = 0;
  let most = 0;
  const results = await inParallel([3, 1, 2, 0], 2, async (item) => {
    most = Math.max(most, ++running);
    for (let turn = 0; turn < item; turn++) await Promise.resolve();
    running--;
    return item * 10;
  });
  expect(results).toEqual([30, 10, 20, 0]);
  expect(most).toBe(2);
});

it("starts nothing after a failure, and waits for what runs", async () => {
  const slow = Promise.withResolvers<undefined>();
  const ended: number[] = [];
  const work = inParallel([0, 1, 2], 2, async (item) => {
    if (item === 1) throw new Error("one failed");
    await slow.promise;
    ended.push(item);
  });
  slow.resolve(undefined);
  await expect(work).rejects.toThrow("one failed");
  expect(ended).toEqual([0]);
});
