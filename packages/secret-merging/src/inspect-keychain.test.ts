import { inspect } from "node:util";

import type { Keychain, KeychainCall } from "@slipway/core";
import { describe, expect, test } from "vitest";

import {
  createKeychain,
  ecrCredentials,
  inspectKeychain,
  pullSecret,
  serviceAccountSecrets,
  staticCredentials,
} from "./index.ts";
import { ask, basic, secret, serving } from "./testing/keychain-questions.ts";

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

describe("a conflict is told as it will be decided", () => {
  const given = (registry: string, username: string): Keychain =>
    staticCredentials({ registry, username, password: "hunter2" });
  const ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
  const held = secret("held", { auths: { "r.io": basic("held") } });
  const helped = secret("helped", { credHelpers: { "r.io": "gcr" }, auths: { "r.io": basic("bob") } });
  const wide = secret("wide", { credHelpers: { "*.io": "vault" } });
  const both = secret("both", { credHelpers: { "*.io": "vault", "r.io": "gcr" } });
  const stored = secret("stored", { credsStore: "vault" });
  const switchedOff = secret("off", { credsStore: "vault", credHelpers: { "r.io": "" } });
  const answering = {
    ...call,
    ...serving(held, helped, wide, both, stored, switchedOff),
    warn: () => undefined,
    readServiceAccount: () =>
      Promise.resolve({ namespace: "builds", name: "default", imagePullSecrets: ["held", "helped"] }),
    runCredentialHelper: (helper: string) =>
      Promise.resolve({ status: 0, output: JSON.stringify({ Username: helper, Secret: "hunter2" }) }),
  };
  const [secretHelper, store] = [
    "secret builds/helped, docker-credential-gcr",
    "secret builds/stored, docker-credential-vault",
  ];
  const [byList, inKeychain, inSource] = [
    "its source comes first in the list of keychains",
    "it comes first in its keychain",
    "it comes first in its source",
  ];
  const [refused, nothing] = ["when the registry refuses it", "when it has nothing, or the registry refuses it"];
  const logins = [given("r.io", "ann"), given("r.io", "bob")];
  const name = "credentials given for r.io";

  test.each<[string, Keychain[], string[], string, string]>([
    [
      "by a helper of the host",
      [pullSecret({ name: "helped" }), given("r.io", "ann")],
      [secretHelper, "secret builds/helped", name],
      byList,
      nothing,
    ],
    [
      "by a helper within a Secret",
      [pullSecret({ name: "helped" })],
      [secretHelper, "secret builds/helped"],
      inKeychain,
      nothing,
    ],
    [
      "by a helper of a wildcard",
      [pullSecret({ name: "wide" }), given("r.io", "ann")],
      ["secret builds/wide, docker-credential-vault", name],
      byList,
      nothing,
    ],
    [
      "by the helper that fits best",
      [pullSecret({ name: "both" }), given("r.io", "ann")],
      ["secret builds/both, docker-credential-gcr", name],
      byList,
      nothing,
    ],
    [
      "by a login before a helper",
      [given("r.io", "ann"), pullSecret({ name: "helped" })],
      [name, secretHelper, "secret builds/helped"],
      byList,
      refused,
    ],
    [
      "by a helper of a later Secret",
      [serviceAccountSecrets()],
      [secretHelper, "secret builds/held", "secret builds/helped"],
      inKeychain,
      nothing,
    ],
    [
      "by a helper for all registries",
      [pullSecret({ name: "stored" }), ...logins],
      [store, name, name],
      byList,
      nothing,
    ],
    ["whatever helper for all comes later", [...logins, pullSecret({ name: "stored" })], [name, name], byList, refused],
    ["by no helper that is switched off", [pullSecret({ name: "off" }), ...logins], [name, name], byList, refused],
    ["between keychains of one name", logins, [name, name], byList, refused],
    ["between keychains of one name, in one", [createKeychain(...logins)], [name, name], byList, refused],
    [
      "in one source",
      [staticCredentials(["ann", "bob"].map((username) => ({ registry: "r.io", username, password: "p" })))],
      [name, name],
      inSource,
      refused,
    ],
  ])("%s", async (_, list, sources, reason, occasion) => {
    const keychain = createKeychain(...list);
    const expected = { sources, wins: sources[0], reason: `${reason}; the others are tried ${occasion}` };
    for (const inspected of [list, keychain])
      expect((await inspectKeychain(inspected, answering)).conflicts).toEqual([{ scope: "r.io", ...expected }]);
    expect((await ask(keychain, "r.io/app", answering))[0]?.source).toBe(sources[0]);
    const warnings: string[] = [];
    await ask(keychain, "r.io/app", { ...answering, warn: (message) => warnings.push(message) });
    expect(warnings[0]).toContain(`The ${sources[0] ?? ""} wins: ${reason};`);
  });

  test("with a cloud for its own hosts, and with nobody where there is one answer", async () => {
    const list = [ecrCredentials(), given(ecr, "ann"), given(`${ecr}/team`, "team"), given("r.io", "bob")];
    const { conflicts } = await inspectKeychain(list, answering);
    expect(conflicts).toMatchObject([{ scope: ecr, sources: ["Amazon ECR", `credentials given for ${ecr}`] }]);
    for (const quiet of [
      [pullSecret({ name: "stored" }), given("r.io", "ann")],
      [ecrCredentials(), given("*.dkr.ecr.*.amazonaws.com", "ann")],
      [given("r.io", "ann"), given("r.io", "ann")],
    ])
      expect((await inspectKeychain(quiet, answering)).conflicts).toEqual([]);
  });

  test.each([
    `${ecr}.cn`,
    "123456789012.dkr-ecr.eu-west-1.on.aws",
    "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com",
    "*.dkr.ecr.cn-north-1.amazonaws.com.cn",
  ])("with a cloud for %s, as it names its hosts itself", async (registry) => {
    const list = [ecrCredentials(), given(registry, "ann"), given(registry, "bob")];
    const login = `credentials given for ${registry}`;
    const { conflicts } = await inspectKeychain(list, answering);
    expect(conflicts).toMatchObject([{ scope: registry, sources: ["Amazon ECR", login, login] }]);
  });

  test("without a cloud for a host that only looks like one of its own", async () => {
    const list = [ecrCredentials(), given("team.dkr.ecr.eu-west-1.amazonaws.com", "ann")];
    expect((await inspectKeychain(list, answering)).conflicts).toEqual([]);
  });

  const wideHelper = "secret builds/wide, docker-credential-vault";
  test.each([
    ["for all registries", "stored", "*.io", store],
    ["of the wildcard", "wide", "*.io", wideHelper],
    ["of the wildcard, for a path of it", "wide", "*.io/app", wideHelper],
  ])("by a helper %s before logins for a wildcard", async (_, helper, registry, wins) => {
    const list = [given(registry, "ann"), given(registry, "bob"), pullSecret({ name: helper })];
    const login = `credentials given for ${registry}`;
    const reason = "what it says is for the exact host";
    const { conflicts } = await inspectKeychain(list, answering);
    expect(conflicts).toEqual([
      { scope: registry, sources: [wins, login, login], wins, reason: `${reason}; the others are tried ${nothing}` },
    ]);
    for (const asked of ["r.io/app/a", "r.io"]) {
      const warnings: string[] = [];
      const call = { ...answering, warn: (message: string) => warnings.push(message) };
      expect((await ask(createKeychain(...list), asked, call))[0]?.source).toBe(wins);
      expect(warnings).toEqual([
        `For ${registry.replace("*", "r")} there are different credentials in ${wins} and ${login} and ${login}. ` +
          `The ${wins} wins: ${reason}; the others are tried ${refused}.`,
      ]);
    }
  });

  test("by two helpers before logins for a wildcard, once", async () => {
    const list = [
      pullSecret({ name: "wide" }),
      given("*.io", "ann"),
      given("*.io", "bob"),
      pullSecret({ name: "other" }),
    ];
    const other = secret("other", { credHelpers: { "*.io": "pass" } });
    const served = { ...answering, ...serving(wide, other), warn: () => undefined };
    const helpers = [wideHelper, "secret builds/other, docker-credential-pass"];
    const login = "credentials given for *.io";
    const { conflicts } = await inspectKeychain(list, served);
    expect(conflicts).toMatchObject([{ scope: "*.io", sources: [...helpers, login, login], wins: wideHelper }]);
    const found = await ask(createKeychain(...list), "r.io/app", served);
    expect(found.map(({ source }) => source)).toEqual([...helpers, login, login]);
  });

  test("by a helper for all registries before logins for a wildcard", async () => {
    const list = [given("*.io", "ann"), given("*.io", "bob"), pullSecret({ name: "stored" })];
    const { conflicts } = await inspectKeychain(list, answering);
    expect(conflicts).toMatchObject([
      { scope: "*.io", wins: store, reason: expect.stringMatching(/exact host/) as string },
    ]);
    expect((await ask(createKeychain(...list), "r.io/app", answering))[0]?.source).toBe(store);
  });
});
