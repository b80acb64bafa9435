import { BuilderError } from "@slipway/core";
import type { Credential } from "@slipway/core";
import { describe, expect, test, vi } from "vitest";

import { createCredentialCache, keepUntil } from "./credential-cache.ts";
import { tokenExpiry } from "./token-expiry.ts";

const credential: Credential = { source: "helper", type: "basic", username: "a", password: "b" };
const signal = new AbortController().signal;

test.each([
  ["5 seconds when nothing is known", {}, 5_000],
  ["80 % of a short life", { expiresAtMs: 101_000 }, 80_000],
  ["5 minutes of a long one", { expiresAtMs: 43_200_000 }, 300_000],
  ["not at all when it is over", { expiresAtMs: 500 }, 0],
])("a credential is kept for %s", (_, expiry, keptMs) => {
  expect(keepUntil({ ...credential, ...expiry }, 1_000) - 1_000).toBe(keptMs);
});

test("it is asked for anew when its time is over, and an empty answer or a failure is not kept", async () => {
  let nowMs = 0;
  const cache = createCredentialCache(() => nowMs);
  const ask = vi.fn<() => Promise<Credential | undefined>>(() => Promise.resolve(credential));
  await cache.get("k", signal, ask);
  nowMs = 4_999;
  await cache.get("k", signal, ask);
  expect(ask).toHaveBeenCalledTimes(1);
  nowMs = 5_000;
  await cache.get("k", signal, ask);
  expect(ask).toHaveBeenCalledTimes(2);
  const empty = vi.fn<() => Promise<Credential | undefined>>(() => Promise.resolve(undefined));
  await cache.get("e", signal, empty);
  await cache.get("e", signal, empty);
  expect(empty).toHaveBeenCalledTimes(2);
  await expect(cache.get("f", signal, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await cache.get("f", signal, ask)).toBe(credential);
});

const late = new BuilderError({ code: "TIMEOUT", message: "late", details: { timeoutMs: 1 } });

test.each([
  ["its builder is closed", new BuilderError({ code: "ABORTED", message: "left", details: { reason: "left" } })],
  ["its time is over", late],
  ["an SDK says so in its own words", Object.assign(new Error("Request aborted"), { name: "AbortError" })],
])("who comes second is served though the first one leaves: %s", async (_, error) => {
  const cache = createCredentialCache();
  const leaving = new AbortController();
  const first = cache.get("k", leaving.signal, () => untilAborted(leaving.signal, error));
  const ask = vi.fn<() => Promise<Credential | undefined>>(() => Promise.resolve(credential));
  const others = [cache.get("k", signal, ask), cache.get("k", signal, ask)];
  leaving.abort(late);
  await expect(first).rejects.toBe(late);
  expect(await Promise.all(others)).toEqual([credential, credential]);
  expect(ask).toHaveBeenCalledTimes(1);
});

test("whoever leaves does not wait for an answer, its own or another's", async () => {
  const cache = createCredentialCache();
  const { promise, resolve } = Promise.withResolvers<Credential | undefined>();
  const [asking, waiting] = [new AbortController(), new AbortController()];
  const first = cache.get("k", asking.signal, () => promise);
  const second = cache.get("k", waiting.signal, () => promise);
  const third = cache.get("k", signal, () => Promise.reject(new Error("asked twice")));
  waiting.abort(late);
  await expect(second).rejects.toBe(late);
  asking.abort(new Error("enough"));
  await expect(first).rejects.toMatchObject({ code: "ABORTED", details: { reason: "enough" } });
  resolve(credential);
  expect(await third).toBe(credential);
  await expect(cache.get("other", asking.signal, () => promise)).rejects.toMatchObject({ code: "ABORTED" });
});

describe("a question that is never answered, once whoever asked has left", () => {
  const hanging = (): Promise<never> => Promise.withResolvers<never>().promise;

  test("is joined by nobody else, and its end is not that of a later one", async () => {
    const cache = createCredentialCache();
    const leaving = new AbortController();
    const { promise: hung, reject } = Promise.withResolvers<never>();
    const first = cache.get("k", leaving.signal, () => hung);
    leaving.abort(late);
    await expect(first).rejects.toBe(late);
    const { promise, resolve } = Promise.withResolvers<Credential | undefined>();
    const ask = vi.fn(() => promise);
    const second = cache.get("k", signal, ask);
    expect(ask).toHaveBeenCalledTimes(1);
    reject(late);
    await expect(hung).rejects.toBe(late);
    const third = cache.get("k", signal, () => Promise.reject(new Error("asked twice")));
    resolve(credential);
    expect(await Promise.all([second, third])).toEqual([credential, credential]);
  });

  test("is not waited for by those who had joined: they ask once more, together", async () => {
    const cache = createCredentialCache();
    const leaving = new AbortController();
    const first = cache.get("k", leaving.signal, hanging);
    const ask = vi.fn<() => Promise<Credential | undefined>>(() => Promise.resolve(credential));
    const others = Promise.all([cache.get("k", signal, ask), cache.get("k", signal, ask)]);
    leaving.abort(late);
    await expect(first).rejects.toBe(late);
    expect(await others).toEqual([credential, credential]);
    expect(ask).toHaveBeenCalledTimes(1);
  });

  test("has no word any more when it is answered after a later one", async () => {
    const cache = createCredentialCache();
    const leaving = new AbortController();
    const { promise, resolve } = Promise.withResolvers<Credential | undefined>();
    const first = cache.get("k", leaving.signal, () => promise);
    leaving.abort(late);
    await expect(first).rejects.toBe(late);
    const newer = { ...credential, username: "newer" };
    await cache.get("k", signal, () => Promise.resolve(newer));
    resolve(credential);
    await promise;
    expect(await cache.get("k", signal, hanging)).toBe(newer);
  });
});

function untilAborted(leaving: AbortSignal, error: Error): Promise<never> {
  return new Promise((_, reject) => {
    leaving.addEventListener("abort", () => {
      reject(error);
    });
  });
}

describe("the end of a token", () => {
  const json = (value: object, encoding: BufferEncoding): string =>
    Buffer.from(JSON.stringify(value)).toString(encoding);

  test.each([
    ["a JWT", `${json({ alg: "x" }, "base64url")}.${json({ exp: 1_700_000_000 }, "base64url")}.sig`, 1_700_000_000_000],
    [
      "a password of Amazon ECR",
      json({ payload: "x".repeat(100), version: "2", type: "DATA_KEY", expiration: 1_700_000_000 }, "base64"),
      1_700_000_000_000,
    ],
    ["a JWT without exp", `e30.${json({}, "base64url")}.sig`, undefined],
    ["a password with dots", "a.b.c", undefined],
    ["a password", "hunter2", undefined],
  ])("is read from %s", (_, token, expected) => {
    expect(tokenExpiry(token)).toBe(expected);
  });
});
