import { inspect } from "node:util";

import type { KeychainCall } from "@slipway/core";
import { expect, test } from "vitest";

import { createKeychain, ecrCredentials, inspectKeychain, pullSecret, staticCredentials } from "./index.ts";
import { basic, secret, serving } from "./testing/keychain-questions.ts";

const soon = Math.floor(Date.now() / 1_000) + 600;
const token = `e30.${Buffer.from(JSON.stringify({ exp: soon })).toString("base64url")}.hunter2`;
const secrets = [
  secret("one", {
    auths: {
      "https://r.example.com": basic("ann"),
      "r.example.com/team": basic("team"),
      "*.example.org": basic("glob"),
      "bad.example.com": { auth: "hunter2" },
    },
  }),
  secret("two", { auths: { "R.example.com:443": basic("bob"), "id.example.com": { identitytoken: token } } }, "Opaque"),
  secret("three", { credsStore: "ecr-login", auths: { "r.example.com": basic("ann") } }),
  secret("four", "'{}'"),
];
const call: KeychainCall = { signal: AbortSignal.timeout(60_000), ...serving(...secrets) };
const keychains = secrets.map(({ name }) => pullSecret({ name }));

test("a report has everything that is wrong with keychains, and no value", async () => {
  const report = await inspectKeychain([...keychains, ecrCredentials(), { resolve: () => Promise.resolve([]) }], call);
  expect(report.conflicts).toEqual([
    {
      scope: "r.example.com",
      sources: ["secret builds/one", "secret builds/two"],
      wins: "secret builds/one",
      reason: expect.stringContaining("comes first in the list of keychains") as string,
    },
  ]);
  expect(report.problems).toMatchObject([
    { source: "secret builds/one", key: "bad.example.com" },
    { source: "secret builds/four", message: expect.stringContaining("wrapped in shell quotes") as string },
  ]);
  expect(report.shadowed).toEqual([{ source: "secret builds/three", scope: "r.example.com", by: "secret builds/one" }]);
  expect(report.expiring).toEqual([
    { source: "secret builds/two", scope: "id.example.com", expiresAtMs: soon * 1_000 },
  ]);
  expect(report.globs).toContainEqual({ source: "secret builds/one", key: "*.example.org" });
  expect(report.opaque).toBe(1);
  const unusable = report.unusable.map(({ consumer, source, scope }) => `${consumer}: ${scope} of ${source}`);
  expect(unusable).toEqual(
    expect.arrayContaining([
      "kaniko: r.example.com/team of secret builds/one",
      "buildctl: r.example.com/team of secret builds/one",
      "buildctl: *.example.org of secret builds/one",
      "kubelet: r.example.com of secret builds/two",
      "kubelet: id.example.com of secret builds/two",
      "kubelet: * of secret builds/three",
      "kaniko: * of secret builds/three",
    ]),
  );
  expect(unusable).not.toContain("kubelet: r.example.com/team of secret builds/one");
  expect(report.entries).toContainEqual({ source: "secret builds/three", scope: "*", type: "helper" });
  for (const printed of [inspect(report, { depth: Infinity, showHidden: true }), JSON.stringify(report)])
    expect(printed).not.toMatch(/hunter2|ann|bob/);
});

test.each([
  ["r.io:443", "r.io"],
  ["R.io/team", "r.io/team"],
  ["https://r.io/v2", "r.io"],
  ["registry-1.docker.io", "docker.io"],
])("a key %s in a Secret is none of %s to the kubelet, which is said", async (key, scope) => {
  const served = serving(secret("one", { auths: { [key]: basic("ann") } }));
  const { unusable } = await inspectKeychain(pullSecret({ name: "one" }), { signal: call.signal, ...served });
  const reason = `to it, ${key} is another registry: write ${scope}`;
  expect(unusable).toContainEqual({ consumer: "kubelet", source: "secret builds/one", scope, reason });
});

test.each(["r.io", "https://r.io/v2/", "http://r.io/team", "*.r.io:5000", "https://index.docker.io/v1/", "docker.io"])(
  "a key %s in a Secret is what it seems to be",
  async (key) => {
    const served = serving(secret("one", { auths: { [key]: basic("ann") } }));
    const { unusable } = await inspectKeychain(pullSecret({ name: "one" }), { signal: call.signal, ...served });
    expect(unusable.filter(({ consumer }) => consumer === "kubelet")).toEqual([]);
  },
);

test("keychains in a keychain are looked into", async () => {
  const whole = await inspectKeychain(createKeychain(...keychains), call);
  expect(whole).toEqual(await inspectKeychain(keychains, call));
  const clean = await inspectKeychain(staticCredentials({ registry: "r.io", username: "a", password: "b" }), call);
  expect(clean).toEqual({
    ...{ conflicts: [], problems: [], shadowed: [], unusable: [], expiring: [], globs: [], opaque: 0 },
    entries: [{ source: "credentials given for r.io", scope: "r.io", type: "basic" }],
  });
});
