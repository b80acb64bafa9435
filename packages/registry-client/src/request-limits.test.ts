import { expect, it } from "vitest";

import { createConcurrencyLimit } from "./request-limits.ts";

it("hands a place over, so that nobody who comes just then takes another one", async () => {
  const limit = createConcurrencyLimit(1);
  let running = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await new Promise(setImmediate);
    running -= 1;
  };
  let ended = Promise.resolve();
  const first = limit.run(() => (ended = work()));
  const waiting = limit.run(work);
  // Comes between the end of the first and the start of the one that waits.
  const late = ended.then(() => limit.run(work));
  await Promise.all([first, waiting, late]);
  expect(most).toBe(1);
});

it("lets go of a place of what has failed", async () => {
  const limit = createConcurrencyLimit(1);
  await expect(limit.run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await expect(limit.run(() => Promise.resolve("yes"))).resolves.toBe("yes");
});
