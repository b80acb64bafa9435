import type { Credential, Keychain } from "@slipway/core";
import { expect, it } from "vitest";

import { orderedKeychain } from "./ordered-keychain.ts";

function user(username: string, scope?: string): Credential {
  const source = `secret builds/${username}`;
  return { type: "basic", source, username, password: username, ...(scope === undefined ? {} : { scope }) };
}

function chain(...credentials: readonly Credential[]): Keychain {
  return { resolve: () => Promise.resolve(credentials) };
}

async function sources(keychain: Keychain, warnings: string[] = []): Promise<readonly string[]> {
  const resource = { registry: "registry.example.com", repository: "team/app", actions: ["push" as const] };
  const call = { signal: new AbortController().signal, warn: (message: string) => void warnings.push(message) };
  const found = await orderedKeychain(keychain).resolve(resource, call);
  return found.map(({ source }) => source);
}

it("tries what fits the repository best first, whichever keychain it is from", async () => {
  expect(await sources(chain(user("host"), user("team", "team")))).toEqual([
    "secret builds/team",
    "secret builds/host",
  ]);
});

it("tells contradictions, and which one wins", async () => {
  const warnings: string[] = [];
  expect(await sources(chain(user("first"), user("second")), warnings)).toHaveLength(2);
  expect(warnings).toEqual([expect.stringMatching(/secret builds\/first.*secret builds\/second/)]);
});

it("leaves a single candidate as it is", async () => {
  expect(await sources(chain(user("only")))).toEqual(["secret builds/only"]);
});
