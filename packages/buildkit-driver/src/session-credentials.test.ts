import type { Credential, Keychain } from "@slipway/core";
import { expect, it } from "vitest";

import { sessionCredentials } from "./session-credentials.ts";

const call = { signal: new AbortController().signal };
const nobodyAsked = () => expect.unreachable("a single candidate needs no question");

function keychain(answers: readonly (readonly Credential[])[]): Keychain {
  let asked = 0;
  return { resolve: () => Promise.resolve(answers[asked++] ?? []) };
}

it("asks anew each time, so that a rotated secret counts", async () => {
  const basic = (password: string) => [{ type: "basic", source: "test", username: "robot", password }] as const;
  const credentials = sessionCredentials(keychain([basic("old"), basic("new")]), nobodyAsked, call);
  expect(await credentials("r.example.com")).toEqual({ username: "robot", secret: "old" });
  expect(await credentials("r.example.com")).toEqual({ username: "robot", secret: "new" });
});

it("hands an identity token on as the password of nobody", async () => {
  const credentials = sessionCredentials(
    keychain([[{ type: "identity-token", source: "test", token: "t" }]]),
    nobodyAsked,
    call,
  );
  expect(await credentials("r.example.com")).toEqual({ username: "", secret: "t" });
});

it("does not hand on a token that is meant for the registry, which the daemon would exchange", async () => {
  const token = { type: "registry-token", source: "test", token: "t" } as const;
  expect(await sessionCredentials(keychain([[token]]), nobodyAsked, call)("r.example.com")).toBeUndefined();
});

it("has nothing to say without candidates", async () => {
  expect(await sessionCredentials(keychain([]), nobodyAsked, call)("r.example.com")).toBeUndefined();
});

it("gives the first of several that the registry accepts, and the first if it accepts none", async () => {
  const user = (username: string) => ({ type: "basic", source: username, username, password: "p" }) as const;
  const asked: string[] = [];
  const choose = (accepted: string) => {
    const accepts = (registry: string, { username }: { username: string }) => {
      asked.push(`${username} at ${registry}`);
      return Promise.resolve(username === accepted);
    };
    const chain = keychain([[user("stale"), user("good"), user("other")]]);
    return sessionCredentials(chain, accepts, call)("r.example.com");
  };
  expect(await choose("good")).toEqual({ username: "good", secret: "p" });
  expect(asked).toEqual(["stale at r.example.com", "good at r.example.com"]);
  expect(await choose("nobody")).toEqual({ username: "stale", secret: "p" });
});
