import type { Credential } from "@slipway/core";
import { expect, test } from "vitest";

import type { Authorization } from "./access-token.ts";
import { createTokenCache } from "./token-cache.ts";

test("whoever waits for a token that another one has asked for leaves when its own signal fires", async () => {
  const service = { realm: new URL("https://auth.example.com/token"), service: undefined, scopes: [] };
  const token: Authorization = { header: "Bearer t", expiresAtMs: Number.POSITIVE_INFINITY };
  const { promise, resolve } = Promise.withResolvers<Authorization>();
  const cache = createTokenCache();
  const first = cache.get(service, undefined, new AbortController().signal, () => promise);
  const leaving = new AbortController();
  const second = cache.get(service, undefined, leaving.signal, () => promise);
  leaving.abort(new Error("the test leaves"));
  await expect(second).rejects.toMatchObject({ code: "ABORTED" });
  resolve(token);
  expect(await first).toBe(token);
});

test("the candidates of one source have tokens of their own, also where they print as nothing but their source", async () => {
  const service = { realm: new URL("https://auth.example.com/token"), service: undefined, scopes: [] };
  const { signal } = new AbortController();
  const cache = createTokenCache();
  const ask = (username: string, password: string): Promise<unknown> => {
    const credential: Credential = { type: "basic", source: "secret builds/regcred", username, password };
    Object.defineProperty(credential, "toJSON", { value: () => ({ source: credential.source }) });
    const header = `Bearer ${username} ${password}`;
    return cache.get(service, credential, signal, () => Promise.resolve({ header, expiresAtMs: Infinity }));
  };
  expect(await ask("reader", "p")).toMatchObject({ header: "Bearer reader p" });
  expect(await ask("writer", "p")).toMatchObject({ header: "Bearer writer p" });
  expect(await ask("writer", "rotated")).toMatchObject({ header: "Bearer writer rotated" });
});

test("credentials whose values are not enumerated have tokens of their own, and the same one keeps its token", async () => {
  const service = { realm: new URL("https://auth.example.com/token"), service: undefined, scopes: [] };
  const { signal } = new AbortController();
  const cache = createTokenCache();
  let fetched = 0;
  const ask = (password: string, expiresAtMs: number): Promise<unknown> => {
    const credential: Credential = { type: "basic", source: "the vault", expiresAtMs, username: "ann", password };
    Object.defineProperty(credential, "password", { enumerable: false });
    const fetch = () => Promise.resolve({ header: `Bearer ${password} ${(fetched += 1)}`, expiresAtMs: Infinity });
    return cache.get(service, credential, signal, fetch);
  };
  expect(await ask("p", 1)).toMatchObject({ header: "Bearer p 1" });
  expect(await ask("q", 1)).toMatchObject({ header: "Bearer q 2" });
  expect(await ask("p", 2)).toMatchObject({ header: "Bearer p 1" });
});
