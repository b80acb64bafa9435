import { inspect } from "node:util";

import type { Keychain } from "@slipway/core";
import { describe, expect, test } from "vitest";

import { createKeychain, inspectKeychain, pullSecret, staticCredentials } from "./index.ts";
import { ask, basic, problemOf, secret, serving, users } from "./testing/keychain-questions.ts";

const given = (registry: string, username: string): Keychain =>
  staticCredentials({ registry, username, password: "hunter2" });

describe("the order of candidates", () => {
  test("is by fit before it is by source", async () => {
    const keychain = createKeychain(
      given("*.example.com", "wildcard"),
      given("r.example.com", "host"),
      given("https://r.example.com:443/v2/team", "team"),
      given("r.example.com/team/app", "app"),
      given("r.example.com/teams", "others"),
    );
    expect(await users(keychain, "r.example.com/team/app")).toEqual(["app", "team", "host", "wildcard"]);
    expect(await users(keychain, "r.example.com/team/application")).toEqual(["team", "host", "wildcard"]);
    expect(await users(keychain, "r.example.com/else")).toEqual(["host", "wildcard"]);
  });

  test.each([
    ["r.example.com/team/a", ["team"]],
    ["r.example.com/team", ["team"]],
    ["r.example.com/a", [undefined]],
    ["r.example.com", [undefined]],
  ])("has a login once for %s, as what fits it best", async (name, scopes) => {
    for (const whole of ["r.example.com", "*.example.com"]) {
      const keychain = createKeychain(given("r.example.com/team", "ann"), given(whole, "ann"));
      expect((await ask(keychain, name)).map(({ scope }) => scope)).toEqual(scopes);
    }
  });

  test("takes account of the path that a keychain of somebody else states", async () => {
    const foreign: Keychain = {
      resolve: () =>
        Promise.resolve([{ source: "vault", type: "basic", username: "vault", password: "x", scope: "team" }]),
    };
    const keychain = createKeychain(given("r.example.com", "host"), foreign);
    expect(await users(keychain, "r.example.com/team/app")).toEqual(["vault", "host"]);
  });

  test("takes an empty path for none", async () => {
    const foreign: Keychain = {
      resolve: () => Promise.resolve([{ source: "vault", type: "basic", username: "vault", password: "x", scope: "" }]),
    };
    const call = serving();
    const keychain = createKeychain(given("r.example.com", "host"), foreign);
    expect(await users(keychain, "r.example.com/team/app", call)).toEqual(["host", "vault"]);
    expect(await users(keychain, "r.example.com", call)).toEqual(["host", "vault"]);
    expect(call.warnings[0]).toMatch(/^For r\.example\.com there are different credentials/);
  });

  test("holds in a chain that somebody else has made of these keychains", async () => {
    const inner = [
      given("*.example.com", "wildcard"),
      given("r.example.com", "host"),
      given("r.example.com/team", "team"),
    ];
    const chain: Keychain = {
      resolve: async (resource, call) => (await Promise.all(inner.map((each) => each.resolve(resource, call)))).flat(),
    };
    expect(await users(chain, "r.example.com/team/app")).toEqual(["wildcard", "host", "team"]);
    expect(await users(createKeychain(chain), "r.example.com/team/app")).toEqual(["team", "host", "wildcard"]);
  });

  test("holds across nested keychains", async () => {
    const inner = createKeychain(given("r.example.com", "first"), given("r.example.com/team", "path"));
    expect(await users(createKeychain(given("r.example.com", "outer"), inner), "r.example.com/team/a")).toEqual([
      "path",
      "outer",
      "first",
    ]);
  });

  test("says which path a credential is limited to", async () => {
    const [credential] = await ask(given("r.example.com/team", "ann"), "r.example.com/team/app");
    expect(credential).toEqual({
      source: "credentials given for r.example.com/team",
      type: "basic",
      username: "ann",
      password: "hunter2",
      scope: "team",
    });
    expect(await ask(given("r.example.com", "ann"), "r.example.com/a")).not.toHaveProperty("0.scope");
  });
});

describe("conflicts", () => {
  const sources = [
    secret("one", { auths: { "https://r.example.com": basic("ann") } }),
    secret("two", { auths: { "r.example.com": basic("bob") } }),
    secret("three", { auths: { "r.example.com": basic("ann") } }),
  ];
  const keychain = createKeychain(...sources.map(({ name }) => pullSecret({ name })));

  test("are told with what wins and why, and both are tried", async () => {
    const call = serving(...sources);
    expect(await users(keychain, "r.example.com/a", call)).toEqual(["ann", "bob"]);
    expect(call.warnings).toEqual([
      "For r.example.com there are different credentials in secret builds/one and secret builds/two. The secret builds/one wins: " +
        "its source comes first in the list of keychains; the others are tried when the registry refuses it.",
    ]);
  });

  test("are told once, by the outermost of nested keychains", async () => {
    const call = serving();
    const named = (source: string): Keychain =>
      staticCredentials({ registry: "r.example.com", username: source, password: "hunter2", source });
    const nested = createKeychain(named("team"), createKeychain(named("ann"), named("bob")));
    expect(await users(nested, "r.example.com/a", call)).toEqual(["team", "ann", "bob"]);
    expect(call.warnings).toEqual([expect.stringMatching(/in team and ann and bob\. The team wins/)]);
  });

  test.each([
    ["an exact host before a wildcard", "r.io", "*.io", "r.io/a", "r.io"],
    ["an exact host before a path of a wildcard", "r.io", "*.io/team", "r.io/team/a", "r.io/team"],
    ["an exact host before a path of a wildcard", "r.io", "*.io/team", "r.io", "r.io/team"],
    [
      "a path of an exact host before one of a wildcard",
      "r.io/team",
      "*.io/team/sub",
      "r.io/team/sub/a",
      "r.io/team/sub",
    ],
  ])("are won by what is tried first: %s", async (_, first, contested, asked, scope) => {
    const call = serving();
    const list = [given(contested, "ann"), given(contested, "bob"), given(first, "eve")];
    expect((await users(createKeychain(...list), asked, call))[0]).toBe("eve");
    const [wins, login] = [`credentials given for ${first}`, `credentials given for ${contested}`];
    expect(call.warnings).toEqual([
      `For ${scope} there are different credentials in ${wins} and ${login} and ${login}. The ${wins} wins: ` +
        "what it says is for the exact host; the others are tried when the registry refuses it.",
    ]);
  });

  test.each(["r.io/team/a", "r.io"])(
    "of a path are not won by what is for all of a registry, for %s",
    async (asked) => {
      const call = serving();
      const list = [given("r.io", "eve"), given("r.io/team", "ann"), given("r.io/team", "bob")];
      await users(createKeychain(...list), asked, call);
      expect(call.warnings).toEqual([
        expect.stringMatching(/^For r\.io\/team .* in (\S+ given for r\.io\/team) and \1\./),
      ]);
    },
  );

  test("are none where a keychain is given twice", async () => {
    const call = serving(...sources);
    const twice = given("r.example.com", "ann");
    expect(await users(createKeychain(twice, twice), "r.example.com/a", call)).toEqual(["ann"]);
    expect(call.warnings).toEqual([]);
  });

  test("are none where the scopes differ, or the credentials do not", async () => {
    const call = serving(
      secret("one", { auths: { "r.example.com": basic("ann") } }),
      secret("two", { auths: { "r.example.com/team": basic("bob") } }),
      secret("three", { auths: { "r.example.com": basic("ann") } }),
    );
    expect(await users(keychain, "r.example.com/team/a", call)).toEqual(["bob", "ann"]);
    expect(call.warnings).toEqual([]);
  });
});

describe("what is broken is named and passed over", () => {
  const good = { auths: { "r.example.com": basic("ann") } };
  const shellQuoted = `'${JSON.stringify({ auths: { "r.example.com": basic("bob") } })}'`;

  test.each([
    ["wrapped in single quotes", shellQuoted, /secret builds\/bad is wrapped in shell quotes/],
    ["wrapped in double quotes", '"{ \\"auths\\": {} }"', /secret builds\/bad is wrapped in shell quotes/],
    ["quoted twice", JSON.stringify(shellQuoted), /secret builds\/bad is wrapped in shell quotes/],
    ["a string", '"hunter2"', /is not JSON/],
    ["encoded twice", Buffer.from(JSON.stringify(good)).toString("base64"), /is encoded in base64 twice/],
    ["empty", " \n", /is empty/],
    ["cut off", '{"auths": {"hunter2', /is not JSON/],
    ["a list", "[]", /is no Docker configuration: see its top level/],
    ["of the wrong shape", '{"auths": ["hunter2"]}', /is no Docker configuration: see auths/],
  ])("a Secret that is %s", async (_, content, message) => {
    const call = serving(secret("bad", content), secret("good", good));
    const keychain = createKeychain(pullSecret({ name: "bad" }), pullSecret({ name: "good" }));
    expect(await users(keychain, "r.example.com/a", call)).toEqual(["ann"]);
    expect(call.warnings.join("\n")).toMatch(message);
    expect(call.warnings.join("\n")).not.toMatch(/hunter2|bob/);
  });

  test.each([
    [
      "an auth in shell quotes",
      { auth: `'${Buffer.from("a:b").toString("base64")}'` },
      /"auth" wrapped in shell quotes/,
    ],
    ["itself in shell quotes", '\'{"auth":"YTpi"}\'', /is wrapped in shell quotes/],
    ["an auth without a colon", { auth: "aHVudGVyMg==" }, /not username:password in base64/],
    ["an auth of the wrong alphabet", { auth: "hunter2:hunter2" }, /not username:password in base64/],
    ["nothing in it", {}, /has no "auth", no user name with a password, and no token\. Log in again/],
    ["null in its place", null, /has no "auth", no user name with a password/],
    ["a user name alone", { username: "ann", email: "ann@example.com" }, /has no "auth", no user name with a password/],
    ["a number as password", { username: "a", password: 7 }, /wrong type: see auths\.r\.example\.com\.password/],
  ])("an entry with %s", async (_, entry, message) => {
    const call = serving(secret("bad", { auths: { "r.example.com": entry, "r.example.com/team": basic("ann") } }));
    expect(await users(pullSecret({ name: "bad" }), "r.example.com/team/a", call)).toEqual(["ann"]);
    expect(call.warnings.join("\n")).toMatch(message);
    expect(call.warnings.join("\n")).toMatch(/entry for r\.example\.com in secret builds\/bad/);
    expect(call.warnings.join("\n")).not.toMatch(/hunter2|aHVudGVyMg/);
  });

  test.each([
    ["with a login", { "r.example.com": basic("bob") }],
    ["beside auths", { "r.example.com": basic("bob"), auths: { "r.example.com/team": basic("ann") } }],
    ["that is empty", { "r.example.com": {} }, "harmless"],
  ])("an entry outside of auths %s", async (_, content, harmless = "") => {
    const call = serving(secret("bad", content));
    const keychain = createKeychain(pullSecret({ name: "bad" }), given("r.example.com", "eve"));
    expect(await users(keychain, "r.example.com/else", call)).toEqual(["eve"]);
    expect(call.warnings).toEqual([
      expect.stringMatching(/entry for r\.example\.com in secret builds\/bad is not under "auths"/),
    ]);
    const { problems } = await inspectKeychain(keychain, { signal: AbortSignal.timeout(60_000), ...call });
    expect(problems).toMatchObject([{ source: "secret builds/bad", key: "r.example.com" }]);
    // Who cannot be warned hears of it, too, unless nothing is lost.
    const { warn: __, ...silent } = call;
    const asked = users(keychain, "r.example.com/else", silent);
    if (harmless === "") expect(await problemOf(asked)).toMatch(/is not under "auths"/);
    else expect(await asked).toEqual(["eve"]);
  });

  const ann = { "r.example.com": basic("ann") };
  test.each([
    ["under auths and beside it", { auths: ann, ...ann }, undefined],
    ["in the older form with null for auths", { auths: null, ...ann }, "kubernetes.io/dockercfg"],
    ["in the older form with no auths", { auths: {}, ...ann }, "kubernetes.io/dockercfg"],
    ["in both forms", { auths: ann, ...ann }, "kubernetes.io/dockercfg"],
    ["beside an empty one", { auths: { "https://r.example.com": {}, ...ann } }, undefined],
  ])("but not a login %s, for whoever cannot be warned", async (_, content, type) => {
    const { warn: __, ...silent } = serving(secret("fine", content, type));
    expect(await users(pullSecret({ name: "fine" }), "r.example.com/a", silent)).toEqual(["ann"]);
  });

  test("auths in a Secret of the older type", async () => {
    const bad = secret("bad", { auths: { "r.example.com": basic("bob") } }, "kubernetes.io/dockercfg");
    const call = serving(bad, secret("good", good));
    const keychain = createKeychain(pullSecret({ name: "bad" }), pullSecret({ name: "good" }));
    expect(await users(keychain, "r.example.com/a", call)).toEqual(["ann"]);
    expect(call.warnings).toEqual([
      expect.stringMatching(/builds\/bad has "auths".* kubernetes\.io\/dockerconfigjson/),
    ]);
  });

  test.each([
    ["nothing", {}],
    ["no entries", { auths: {} }],
    ["null for auths", { auths: null }],
    ["the marks of a credsStore", { credsStore: "desktop", auths: { "https://index.docker.io/v1/": {}, "r.io": {} } }],
    ["the mark of a helper", { credHelpers: { "r.io": "gcr" }, auths: { "https://r.io": {} } }],
    ["the mark of a helper of a wildcard", { credHelpers: { "*.io": "vault" }, auths: { "r.io": {} } }],
    ["the mark of a helper of the host for a path", { credHelpers: { "r.io": "vault" }, auths: { "r.io/team": {} } }],
    [
      "settings of Docker",
      {
        auths: {},
        HttpHeaders: { auth: "x" },
        proxies: { default: { httpProxy: "http://proxy.example.com" } },
        plugins: { "x.y": { password: "p" } },
        detachKeys: "ctrl-a",
      },
    ],
  ])("but not a Secret that has %s", async (_, content) => {
    const report = await inspectKeychain(pullSecret({ name: "fine" }), {
      signal: AbortSignal.timeout(60_000),
      ...serving(secret("fine", content)),
    });
    expect(report.problems).toEqual([]);
  });

  test.each([
    ["nothing", {}],
    ["a store that is switched off", { credsStore: "vault", credHelpers: { "r.io": "" } }],
    ["a helper that is switched off", { credHelpers: { "*.io": "vault", "r.io": "" } }],
    ["a helper of another host", { credHelpers: { "q.io": "vault" } }],
    ["a helper of a path", { credHelpers: { "r.io/team": "vault" } }],
  ])("an empty entry that %s keeps", async (_, helpers) => {
    const report = await inspectKeychain(pullSecret({ name: "bad" }), {
      signal: AbortSignal.timeout(60_000),
      ...serving(secret("bad", { ...helpers, auths: { "r.io": {} } })),
    });
    expect(report.problems).toMatchObject([{ source: "secret builds/bad", key: "r.io" }]);
    expect(report.problems[0]?.message).toMatch(/Log in again$/);
  });

  test("an entry whose name is in shell quotes, where any registry is asked for", async () => {
    const call = serving(secret("bad", { auths: { "'r.example.com'": basic("bob"), "r.example.com": basic("ann") } }));
    expect(await users(pullSecret({ name: "bad" }), "r.example.com/a", call)).toEqual(["ann"]);
    expect(call.warnings.join("\n")).toMatch(/'r\.example\.com' .* has a name wrapped in shell quotes/);
  });
});

test("a user and password in the name of an entry are no part of it, and not shown", async () => {
  const auths = { "https://bob:hunter2@r.example.com/team": basic("ann"), "bob:hunter2@q.example.com": { auth: "x" } };
  const call = serving(secret("regcred", { auths, credHelpers: { "bob:hunter2@h.example.com": "none" } }));
  const keychain = createKeychain(
    pullSecret({ name: "regcred" }),
    staticCredentials({ registry: "bob:hunter2@r.example.com", username: "eve", password: "p" }),
  );
  expect(await users(keychain, "r.example.com/team/app", call)).toEqual(["ann", "eve"]);
  await users(keychain, "q.example.com/app", call);
  const report = await inspectKeychain(keychain, { signal: AbortSignal.timeout(60_000), ...call });
  expect(call.warnings.join("\n")).toMatch(/entry for q\.example\.com/);
  expect(JSON.stringify([call.warnings, report, await ask(keychain, "r.example.com/app", call)])).not.toMatch(
    /hunter2/,
  );
});

test("credentials near their end are told of", async () => {
  const claims = (exp: number): string => Buffer.from(JSON.stringify({ exp })).toString("base64url");
  const token = (leftSeconds: number): string => `e30.${claims(Math.floor(Date.now() / 1_000) + leftSeconds)}.sig`;
  const keychain = createKeychain(
    staticCredentials([
      { registry: "soon.example.com", registryToken: token(90) },
      { registry: "gone.example.com", username: "ann", password: token(-90) },
      { registry: "later.example.com", identityToken: token(3_600) },
    ]),
  );
  const call = serving();
  for (const host of ["soon", "gone", "later"]) await ask(keychain, `${host}.example.com/a`, call);
  expect(call.warnings).toEqual([
    "The credentials for soon.example.com from credentials given for soon.example.com expire in 2 min. Renew them.",
    "The credentials for gone.example.com from credentials given for gone.example.com have expired. Renew them.",
  ]);
});

test("nothing of a credential shows when it, or a keychain, is printed", async () => {
  const credentials = await ask(given("r.example.com/team", "ann"), "r.example.com/team/app");
  const shown = { source: "credentials given for r.example.com/team", type: "basic", scope: "team" };
  expect(inspect(credentials, { showHidden: true })).toBe(inspect([shown], { showHidden: true }));
  expect(JSON.parse(JSON.stringify(credentials))).toEqual([shown]);
  const keychain = createKeychain(given("r.example.com", "ann"), pullSecret({ name: "regcred" }));
  expect(inspect(keychain, { depth: Infinity, showHidden: true })).not.toMatch(/hunter2|ann/);
  expect(JSON.stringify(keychain)).toBe("{}");
});

test("given credentials are checked at once", () => {
  expect(() => staticCredentials({ registry: "r.io", username: "a", password: "" })).toThrow(/password/);
  expect(() => staticCredentials([{ registry: "r.io", token: "x" } as never])).toThrow(/staticCredentials/);
});
