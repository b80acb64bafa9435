import { getEventListeners } from "node:events";

import { expect, it } from "vitest";

import { unlessAborted } from "./unless-aborted.ts";

it("gives what is awaited, or how that fails, and lets go of the signal", async () => {
  const { signal } = new AbortController();
  expect(await unlessAborted(Promise.resolve(1), signal)).toBe(1);
  await expect(unlessAborted(Promise.reject(new Error("broken")), signal)).rejects.toThrow("broken");
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

it("leaves when the signal fires, with its reason or what the caller makes of it, whatever comes later", async () => {
  const leaving = new AbortController();
  const late = Promise.withResolvers<never>();
  const plain = unlessAborted(late.promise, leaving.signal);
  const made = unlessAborted(late.promise, leaving.signal, ({ reason }) => new Error(`left: ${String(reason)}`));
  leaving.abort("enough");
  await expect(plain).rejects.toBe("enough");
  await expect(made).rejects.toThrow("left: enough");
  // It would end the test run if nobody listened.
  late.reject(new Error("late"));
});

it("does not wait for a signal that has fired before", async () => {
  const leaving = AbortSignal.abort("before");
  await expect(unlessAborted(new Promise(() => undefined), leaving)).rejects.toBe("before");
  await expect(unlessAborted(Promise.resolve(1), leaving)).rejects.toBe("before");
  await expect(unlessAborted(Promise.reject(new Error("broken")), leaving)).rejects.toBe("before");
});
