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
