import type { Credential, Keychain } from "@slipway/core";
import type { RegistryToken, TokenRequest } from "@slipway/registry-client";
import { pullSecret } from "@slipway/secret-merging";
import { expect, it } from "vitest";

import { scopedTokens } from "./scoped-tokens.ts";

const host = "registry.test";
const call = { signal: new AbortController().signal };
const renewAtMs = Date.now() + 100_000;
const unknownUse = () => Promise.resolve([]);

function user(username: string, scope: string): Credential {
  return { type: "basic", source: `secret builds/${username}`, username, password: "p", scope };
}

const keychain: Keychain = {
  resolve: ({ repository }) =>
    Promise.resolve(
      [user("reader", "base"), user("writer", "team"), user("late", "team")].filter(
        ({ scope }) => repository === undefined || repository.startsWith(scope ?? ""),
      ),
    ),
};

/** Asks for tokens; a user gets what the service grants it. */
async function fetchToken(scopes: readonly string[], grants: Readonly<Record<string, RegistryToken["granted"]>>) {
  const asked: string[] = [];
  const answer = ({ credential }: TokenRequest): Promise<RegistryToken | undefined> => {
    const name = credential?.type === "basic" ? credential.username : "anonymous";
    asked.push(name);
    if (!(name in grants)) return Promise.resolve(undefined);
    const granted = grants[name];
    return Promise.resolve({ token: name, renewAtMs, ...(granted === undefined ? {} : { granted }) });
  };
  const registries = { client: () => ({ fetchToken: answer }) };
  const authority = scopedTokens(keychain, registries, call, unknownUse);
  const request = { host, realm: "https://auth.test/token", service: "s", scopes };
  const outcome = await authority.fetch(request).catch((error: unknown) => error);
  return { outcome, asked };
}

const pull = ["repository:base/app:pull"];
const push = ["repository:team/app:pull,push"];
const all = [{ repository: "team/app", actions: ["pull", "push"] }];

it("asks as the one that the repository belongs to", async () => {
  const { outcome, asked } = await fetchToken(pull, { reader: undefined });
  expect(asked).toEqual(["reader"]);
  expect(outcome).toMatchObject({ token: "reader" });
});

it("takes the candidate that gets all that is wanted", async () => {
  const { outcome, asked } = await fetchToken(push, {
    writer: [{ repository: "team/app", actions: ["pull"] }],
    late: all,
  });
  expect(asked).toEqual(["writer", "late"]);
  expect(outcome).toMatchObject({ token: "late" });
});

it("takes what there is when nobody gets everything, so that the registry says what is missing", async () => {
  const { outcome } = await fetchToken(push, { writer: [], anonymous: [] });
  expect(outcome).toMatchObject({ token: "writer" });
});

it("asks the one that may push when a token is for two repositories", async () => {
  const { asked } = await fetchToken([...pull, ...push], { writer: undefined });
  expect(asked).toEqual(["writer"]);
});

it("names all candidates when the service refuses them all", async () => {
  const { outcome } = await fetchToken(push, {});
  expect(outcome).toMatchObject({
    code: "REGISTRY_UNAUTHORIZED",
    details: { triedCredentials: ["secret builds/writer", "secret builds/late", "anonymous access"] },
  });
});

const registries = { client: () => expect.unreachable("nobody is asked") };

it("offers tokens for hosts whose credentials are not one for all of it, under a name that changes with them", async () => {
  const identify = (chain: Keychain, ...used: readonly string[]) =>
    scopedTokens(chain, registries, call, () => Promise.resolve(used)).identify(host);
  const { scope: _, ...unlimited } = user("reader", "");
  const one: Keychain = { resolve: () => Promise.resolve([unlimited]) };
  const limited: Keychain = { resolve: () => Promise.resolve([user("reader", "base")]) };
  const other: Keychain = { resolve: () => Promise.resolve([user("reader", "base"), user("new", "team")]) };
  expect(await identify(one)).toBeUndefined();
  expect(await identify(limited, "base", "base/app")).toBeUndefined();
  expect(await identify(limited, "base/app", "based")).toHaveLength(32);
  const token: Keychain = { resolve: () => Promise.resolve([{ type: "registry-token", source: "test", token: "t" }]) };
  expect(await identify(token)).toHaveLength(32);
  expect(await identify(keychain)).toHaveLength(32);
  expect(await identify(keychain)).toEqual(await identify(keychain));
  expect(await identify(other)).not.toEqual(await identify(keychain));
});

it("no session has the name of one whose passwords or tokens it lacks", async () => {
  const identify = (auths: object) => {
    const data = { ".dockerconfigjson": Buffer.from(JSON.stringify({ auths })) };
    const secret = { namespace: "builds", name: "regcred", type: "kubernetes.io/dockerconfigjson", data };
    const withSecret = { ...call, readSecret: () => Promise.resolve(secret) };
    return scopedTokens(pullSecret({ name: "regcred" }), registries, withSecret, unknownUse).identify(host);
  };
  const logins = (password: string) => ({
    [host]: { auth: Buffer.from(`ann:${password}`).toString("base64") },
    [`${host}/team`]: { auth: Buffer.from("robot:r").toString("base64") },
  });
  expect(await identify(logins("right"))).toEqual(await identify(logins("right")));
  expect(await identify(logins("right"))).not.toEqual(await identify(logins("wrong")));
  const tokens = await Promise.all(["a", "b"].map((registrytoken) => identify({ [host]: { registrytoken } })));
  expect(tokens[0]).not.toEqual(tokens[1]);
});

it("a session keeps its name as long as its passwords do, also of credentials whose values are not enumerated", async () => {
  const identify = (password: string, expiresAtMs: number) => {
    const login: Credential = { type: "basic", source: "the vault", expiresAtMs, username: "ann", password };
    Object.defineProperty(login, "password", { enumerable: false });
    const chain: Keychain = { resolve: () => Promise.resolve([login, user("robot", "team")]) };
    return scopedTokens(chain, registries, call, unknownUse).identify(host);
  };
  expect(await identify("right", 1)).toHaveLength(32);
  expect(await identify("right", 1)).not.toEqual(await identify("wrong", 1));
  expect(await identify("right", 1)).toEqual(await identify("right", 2));
});
