import type { Credential, Keychain } from "@slipway/core";
import { expect, it } from "vitest";

import { sessionCredentials } from "./session-credentials.ts";

const call = { signal: new AbortController().signal };

function keychain(answers: readonly (readonly Credential[])[]): Keychain {
  let asked = 0;
  return { resolve: () => Promise.resolve(answers[asked++] ?? []) };
}

it("asks anew each time, so that a rotated secret counts", async () => {
  const basic = (password: string) => [{ type: "basic", source: "test", username: "robot", password }] as const;
  const credentials = sessionCredentials(keychain([basic("old"), basic("new")]), call);
  expect(await credentials("r.example.com")).toEqual({ username: "robot", secret: "old" });
  expect(await credentials("r.example.com")).toEqual({ username: "robot", secret: "new" });
});

it("hands an identity token on as the password of nobody", async () => {
  const credentials = sessionCredentials(keychain([[{ type: "identity-token", source: "test", token: "t" }]]), call);
  expect(await credentials("r.example.com")).toEqual({ username: "", secret: "t" });
});

it("has nothing to say without candidates", async () => {
  expect(await sessionCredentials(keychain([]), call)("r.example.com")).toBeUndefined();
});
