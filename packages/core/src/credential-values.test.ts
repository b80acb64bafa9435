import { expect, it } from "vitest";

import { credentialValues, isSameCredential } from "./credential-values.ts";
import type { Credential } from "./keychain.ts";

const source = "secret builds/regcred";
const ann: Credential = { type: "basic", source, username: "ann", password: "p" };

/** As a tool may keep what it has from a vault. */
class VaultLogin {
  readonly type = "basic";
  readonly source = "the vault";
  readonly #login: readonly [username: string, password: string];

  constructor(username: string, password: string) {
    this.#login = [username, password];
  }

  get username(): string {
    return this.#login[0];
  }

  get password(): string {
    return this.#login[1];
  }
}

it.each<[string, Credential, readonly string[]]>([
  ["a login", ann, ["basic", "ann", "p"]],
  ["a login behind getters", new VaultLogin("ann", "p"), ["basic", "ann", "p"]],
  ["a token", { type: "registry-token", source, token: "t", expiresAtMs: 5 }, ["registry-token", "t"]],
  [
    "a helper",
    { type: "helper", source, helper: "ecr-login", serverUrl: "https://a.example" },
    ["helper", "ecr-login", "https://a.example"],
  ],
])("%s says this", (_what, credential, values) => {
  expect(credentialValues(credential)).toEqual(values);
});

it("credentials are the same by what they say, not by where they come from or how long they live", () => {
  expect(isSameCredential(ann, { ...ann, source: "another", expiresAtMs: 5, scope: "team" })).toBe(true);
  expect(isSameCredential(ann, new VaultLogin("ann", "p"))).toBe(true);
  expect(isSameCredential(new VaultLogin("ann", "p"), new VaultLogin("bob", "p"))).toBe(false);
  expect(isSameCredential(new VaultLogin("ann", "p"), new VaultLogin("ann", "q"))).toBe(false);
  const [identity, registry] = (["identity-token", "registry-token"] as const).map((type): Credential => ({
    type,
    source,
    token: "t",
  }));
  expect(identity && registry && isSameCredential(identity, registry)).toBe(false);
});
