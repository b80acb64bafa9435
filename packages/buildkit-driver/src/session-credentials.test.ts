import type { Credential, Keychain } from "@slipway/core";
import { expect, it } from "vitest";

import { sessionCredentials, type AcceptsLogin } from "./session-credentials.ts";

const keychainCall = { signal: new AbortController().signal };
const nobodyAsked = () => expect.unreachable("a single candidate needs no question");

function keychain(answers: readonly (readonly Credential[])[]): Keychain {
  let asked = 0;
  return { resolve: () => Promise.resolve(answers[asked++] ?? []) };
}

function credentialsOf(chain: Keychain, accepts: AcceptsLogin, used: readonly string[] = []) {
  return sessionCredentials({ keychain: chain, keychainCall, repositories: () => Promise.resolve(used) }, accepts);
}

it("asks anew each time, so that a rotated secret counts", async () => {
  const basic = (password: string) => [{ type: "basic", source: "test", username: "robot", password }] as const;
  const credentials = credentialsOf(keychain([basic("old"), basic("new")]), nobodyAsked);
  expect(await credentials("r.example.com")).toEqual({ username: "robot", secret: "old" });
  expect(await credentials("r.example.com")).toEqual({ username: "robot", secret: "new" });
});

it("hands an identity token on as the password of nobody", async () => {
  const credentials = credentialsOf(keychain([[{ type: "identity-token", source: "test", token: "t" }]]), nobodyAsked);
  expect(await credentials("r.example.com")).toEqual({ username: "", secret: "t" });
});

it("does not hand on a token that is meant for the registry, which the daemon would exchange", async () => {
  const token = { type: "registry-token", source: "test", token: "t" } as const;
  expect(await credentialsOf(keychain([[token]]), nobodyAsked)("r.example.com")).toBeUndefined();
});

it("has nothing to say without candidates", async () => {
  expect(await credentialsOf(keychain([]), nobodyAsked)("r.example.com")).toBeUndefined();
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
    return credentialsOf(chain, accepts)("r.example.com");
  };
  expect(await choose("good")).toEqual({ username: "good", secret: "p" });
  expect(asked).toEqual(["stale at r.example.com", "good at r.example.com"]);
  expect(await choose("nobody")).toEqual({ username: "stale", secret: "p" });
});

it("gives what is for the repositories of the build before what is for others", async () => {
  const user = (username: string) =>
    ({ type: "basic", source: username, username, password: "p", scope: username }) as const;
  const chain: Keychain = {
    resolve: ({ repository }) =>
      Promise.resolve(repository === undefined ? [user("base"), user("team")] : [user(repository)]),
  };
  const everyone = () => Promise.resolve(true);
  const asked: string[] = [];
  const nobody: AcceptsLogin = (_, { username }) => Promise.resolve(asked.push(username) === 0);
  expect(await credentialsOf(chain, nobody, ["team"])("r.example.com")).toEqual({ username: "team", secret: "p" });
  expect(asked).toEqual(["team", "base"]);
  expect(await credentialsOf(chain, everyone, ["team"])("r.example.com")).toEqual({ username: "team", secret: "p" });
  expect(await credentialsOf(chain, everyone)("r.example.com")).toEqual({ username: "base", secret: "p" });
});
