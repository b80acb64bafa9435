import type { Credential, Keychain } from "@slipway/core";
import { staticCredentials } from "@slipway/secret-merging";
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

it("says of two keychains of a builder that one comes first in the list, as core chains them", async () => {
  const [first, second] = ["ann", "bob"].map((username) =>
    staticCredentials({ registry: "registry.example.com", username, password: "x", source: username }),
  ) as [Keychain, Keychain];
  const chained: Keychain = {
    resolve: async (...question) => [...(await first.resolve(...question)), ...(await second.resolve(...question))],
  };
  const warnings: string[] = [];
  expect(await sources(chained, warnings)).toEqual(["ann", "bob"]);
  expect(warnings).toEqual([expect.stringContaining("its source comes first in the list of keychains")]);
});

it("leaves a single candidate as it is", async () => {
  expect(await sources(chain(user("only")))).toEqual(["secret builds/only"]);
});
