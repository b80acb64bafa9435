import { inspect } from "node:util";

import type { SecretData } from "@slipway/core";
import { describe, expect, test } from "vitest";

import { kubeletCredentials, kubeletLookup } from "../index.ts";
import { basic, secret } from "../testing/keychain-questions.ts";

function lookup(auths: Readonly<Record<string, object>>, image: string): string[] {
  return kubeletLookup([secret("one", { auths })], image).credentials.map(({ username }) => username);
}

// What surprises people; the rest is compared with the original.
test.each([
  ["r.io/team", "r.io/teams/app", ["ann"]],
  ["r.io/team", "r.io/other", []],
  ["https://r.io/v2/", "r.io/app", ["ann"]],
  ["r.io/v2", "r.io/app", []],
  ["*.io", "r.io/app", ["ann"]],
  ["*", "r.io/app", []],
  ["r.io", "r.io:5000/app", []],
  ["https://index.docker.io/v1/", "docker.io/library/busybox", ["ann"]],
  ["[::1]", "[::1]/app", []],
  ["[::1]:5000", "[::1]:5000/app", ["ann"]],
])("the entry %s serves the image %s: %j", (key, image, expected) => {
  expect(lookup({ [key]: basic("ann") }, image)).toEqual(expected);
});

test("longer keys come first, then the order of the Secrets", () => {
  const secrets = [
    secret("one", { auths: { "r.io": basic("first") } }),
    secret("two", { auths: { "r.io": basic("second"), "r.io/team": basic("team") } }),
  ];
  expect(kubeletLookup(secrets, "r.io/team/app").credentials.map(({ username }) => username)).toEqual([
    "team",
    "first",
    "second",
  ]);
});

test("one broken Secret keeps a pod from pulling at all, and is named", () => {
  const secrets = [
    secret("good", { auths: { "r.io": basic("ann") } }),
    secret("bad", { auths: { "x.io": { auth: "?" } } }),
  ];
  expect(kubeletLookup(secrets, "r.io/app")).toEqual({
    credentials: [],
    failure: { source: "secret builds/bad", problem: "auths.x.io.auth is not username:password in base64" },
  });
});

test("a credential prints as where it is from", () => {
  const found = kubeletLookup([secret("one", { auths: { "r.io": basic("ann") } })], "r.io/app");
  expect(found.credentials).toMatchObject([{ username: "ann", password: "hunter2" }]);
  expect(JSON.parse(JSON.stringify(found))).toEqual({ credentials: [{ source: "secret builds/one", key: "r.io" }] });
  expect(inspect(found, { depth: 9 })).toContain("secret builds/one");
  expect(inspect(found, { depth: 9, showHidden: true })).not.toMatch(/ann|hunter2/);
});

describe("kubeletCredentials", () => {
  const call = {
    signal: AbortSignal.timeout(60_000),
    readSecret: ({ name, namespace = "home" }: { name: string; namespace?: string }) =>
      Promise.resolve(
        name === "gone" ? undefined : { ...secret(name, { auths: { "r.io": basic(`${namespace}/${name}`) } }) },
      ),
    readServiceAccount: ({ name }: { name: string }) =>
      Promise.resolve(
        name === "default" ? { namespace: "apps", name, imagePullSecrets: ["gone", "of-account"] } : undefined,
      ),
  };

  test("takes the Secrets of the account", async () => {
    const { credentials } = await kubeletCredentials({ image: "r.io/team/app:v1@sha256:abc", namespace: "apps" }, call);
    expect(credentials.map(({ username }) => username)).toEqual(["apps/of-account"]);
  });

  test("takes those of the pod instead, if it names some", async () => {
    const options = { image: "r.io/app", namespace: "apps", imagePullSecrets: ["own"] };
    const { credentials } = await kubeletCredentials(options, call);
    expect(credentials.map(({ username }) => username)).toEqual(["apps/own"]);
  });

  test.each([
    ["nginx:1", "docker.io/library/nginx"],
    ["team/app@sha256:abc", "docker.io/team/app"],
    ["index.docker.io/nginx", "docker.io/library/nginx"],
    ["localhost/app", "localhost/app"],
    ["r.io:443/team/app:1", "r.io:443/team/app"],
  ])("reads %s as %s", async (image, name) => {
    const auths = { [name]: basic("ann"), "r.io": basic("bob"), "nginx:1": basic("eve"), team: basic("eve") };
    const readSecret = (): Promise<SecretData> => Promise.resolve(secret("one", { auths }));
    const { credentials } = await kubeletCredentials({ image, imagePullSecrets: ["one"] }, { ...call, readSecret });
    expect(credentials.map(({ key }) => key)).toEqual([name]);
  });

  test("finds nothing for an account that does not exist", async () => {
    const options = { image: "r.io/app", serviceAccount: "other" };
    expect(await kubeletCredentials(options, call)).toEqual({ credentials: [] });
  });
});
