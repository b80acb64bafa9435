import type { KeychainCall } from "@slipway/core";
import { describe, expect, test, vi } from "vitest";

import { createKeychain, pullSecret, serviceAccountSecrets } from "./index.ts";
import { createPullSecret } from "./pull-secret.ts";
import { createServiceAccountSecrets } from "./service-account-secrets.ts";
import { ask, base64, basic, problemOf, secret, serving, users } from "./testing/keychain-questions.ts";

const auths = { "r.example.com": basic("ann") };

test("an Opaque Secret may use either key", async () => {
  const data = secret("regcred", { auths }, "Opaque");
  const other = { ...data, data: { ".dockerconfigjson": data.data["config.json"] ?? Buffer.of() } };
  for (const each of [data, other])
    expect(await users(pullSecret({ name: "regcred" }), "r.example.com/a", serving(each))).toEqual(["ann"]);
});

describe("a helper that a Secret of the cluster names", () => {
  const data = secret("ecr", { credsStore: "ecr-login" }, "Opaque");
  const host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
  const output = JSON.stringify({ ServerURL: host, Username: "AWS", Secret: "hunter2" });

  test("is run where the builder lives, and its answer kept for a moment", async () => {
    const runCredentialHelper = vi.fn(() => Promise.resolve({ status: 0, output: `${output}\n` }));
    const keychain = pullSecret({ name: "ecr" });
    const call = { ...serving(data), runCredentialHelper, helperSite: "cluster/builds/builder" };
    const expected = [
      { source: "secret builds/ecr, docker-credential-ecr-login", type: "basic", username: "AWS", password: "hunter2" },
    ];
    expect(await Promise.all([ask(keychain, `${host}/a`, call), ask(keychain, `${host}/b`, call)])).toEqual([
      expected,
      expected,
    ]);
    expect(await ask(keychain, `${host}/c`, call)).toEqual(expected);
    expect(runCredentialHelper.mock.calls).toEqual([["ecr-login", host]]);
  });

  test.each<[string, Partial<KeychainCall>, Partial<KeychainCall>]>([
    ["places", { helperSite: "staging/builds/builder" }, { helperSite: "production/builds/builder" }],
    ["calls that do not say where", {}, {}],
  ])("answers with the identity that it has there: nothing is shared between %s", async (_, staging, production) => {
    const keychain = pullSecret({ name: "ecr" });
    const from = (name: string): Partial<KeychainCall> => ({
      ...serving(data),
      runCredentialHelper: () =>
        Promise.resolve({ status: 0, output: JSON.stringify({ Username: name, Secret: "hunter2" }) }),
    });
    expect(await users(keychain, `${host}/a`, { ...from("staging"), ...staging })).toEqual(["staging"]);
    expect(await users(keychain, `${host}/a`, { ...from("production"), ...production })).toEqual(["production"]);
  });

  test.each<Partial<KeychainCall>>([{ helperSite: "cluster/builds/builder" }, {}])(
    "is not waited for once the call is aborted (%j)",
    async (site) => {
      const runCredentialHelper = (): Promise<never> => Promise.withResolvers<never>().promise;
      const call = { ...serving(data), ...site, runCredentialHelper, signal: AbortSignal.timeout(20) };
      await expect(ask(pullSecret({ name: "ecr" }), `${host}/a`, call)).rejects.toMatchObject({ code: "ABORTED" });
    },
  );

  test("is an answer of its own where it cannot be run", async () => {
    expect(await ask(pullSecret({ name: "ecr" }), `${host}/a`, serving(data))).toEqual([
      { source: "secret builds/ecr", type: "helper", helper: "ecr-login", serverUrl: host },
    ]);
  });

  test("is asked about the registry as its entry spells it, and hides the common one", async () => {
    const own = secret("own", {
      credsStore: "none",
      credHelpers: { "https://r.example.com": "gcr", "docker.io": "hub" },
    });
    const asked: string[] = [];
    const runCredentialHelper = (helper: string, serverUrl: string): Promise<{ status: number; output: string }> => {
      asked.push(`${helper} ${serverUrl}`);
      return Promise.resolve({ status: 1, output: "credentials not found in native keychain\n" });
    };
    for (const name of ["r.example.com/a", "docker.io/library/busybox", "else.io/a"])
      expect(await ask(pullSecret({ name: "own" }), name, { ...serving(own), runCredentialHelper })).toEqual([]);
    expect(asked).toEqual(["gcr https://r.example.com", "hub https://index.docker.io/v1/", "none else.io"]);
  });

  test("is the one of the path that a repository is under", async () => {
    const own = secret("own", { credsStore: "common", credHelpers: { "r.io/team-a": "a", "r.io/team-b": "b" } });
    const asked: string[] = [];
    const runCredentialHelper = (helper: string, serverUrl: string): Promise<{ status: number; output: string }> => {
      asked.push(`${helper} ${serverUrl}`);
      return Promise.resolve({ status: 1, output: "credentials not found in native keychain\n" });
    };
    for (const name of ["r.io/team-b/app", "r.io/other/app"])
      await ask(pullSecret({ name: "own" }), name, { ...serving(own), runCredentialHelper });
    expect(asked).toEqual(["b r.io/team-b", "common r.io"]);
    const answering = (helper: string): Promise<{ status: number; output: string }> =>
      Promise.resolve({ status: 0, output: JSON.stringify({ Username: helper, Secret: "s" }) });
    const found = await ask(pullSecret({ name: "own" }), "r.io", { ...serving(own), runCredentialHelper: answering });
    expect(found.map((each) => [each.type === "basic" && each.username, each.scope])).toEqual([
      ["common", undefined],
      ["a", "team-a"],
      ["b", "team-b"],
    ]);
  });

  test("is not asked about a registry as a whole where it is hidden for its path", async () => {
    const credHelpers = {
      "*.io": "common",
      "*.io/team": "vault",
      "r.io/team": "gcr",
      "*.io/other": "pass",
      "r.io/other": "",
    };
    const asked: string[] = [];
    const runCredentialHelper = (helper: string): Promise<{ status: number; output: string }> => {
      asked.push(helper);
      return Promise.resolve({ status: 1, output: "credentials not found in native keychain\n" });
    };
    const call = { ...serving(secret("own", { credHelpers })), runCredentialHelper };
    for (const name of ["r.io", "q.io"]) await ask(pullSecret({ name: "own" }), name, call);
    expect(asked).toEqual(["common", "gcr", "common", "vault", "pass"]);
  });

  test("may fail without harm to the other sources", async () => {
    const call = { ...serving(data), runCredentialHelper: () => Promise.resolve({ status: 1, output: "no role" }) };
    const keychain = createKeychain(pullSecret({ name: "ecr" }), pullSecret({ name: "regcred" }));
    const readSecret: KeychainCall["readSecret"] = ({ name }) =>
      Promise.resolve(name === "ecr" ? data : secret("regcred", { auths: { [host]: basic("bob") } }));
    expect(await users(keychain, `${host}/a`, { ...call, readSecret })).toEqual(["bob"]);
    expect(call.warnings.join()).toMatch(/docker-credential-ecr-login ended with status 1 for 1234.*: no role/);
  });

  test("must be the name of a program", async () => {
    const evil = secret("evil", { credsStore: "x; rm" });
    expect(
      await problemOf(ask(pullSecret({ name: "evil" }), "a.io", { readSecret: () => Promise.resolve(evil) })),
    ).toMatch(/is not the name of a credential helper/);
  });
});

describe("serviceAccountSecrets", () => {
  const account = { namespace: "builds", name: "default", imagePullSecrets: ["one", "gone", "two"] };

  test("reads the Secrets of the account in their order, and passes over what is missing", async () => {
    const readServiceAccount = vi.fn(() => Promise.resolve(account));
    const served = serving(secret("one", { auths }), secret("two", { auths: { "r.example.com": basic("bob") } }));
    const call = { ...served, readServiceAccount };
    expect(await users(serviceAccountSecrets(), "r.example.com/a", call)).toEqual(["ann", "bob"]);
    expect(readServiceAccount.mock.calls).toEqual([[{ name: "default" }]]);
    expect(call.warnings).toEqual([
      "The secret builds/gone, which the service account default names, does not exist. Create it, or take it out of imagePullSecrets",
    ]);
  });

  test("refuses an account that does not exist, and a builder without a cluster", async () => {
    const keychain = serviceAccountSecrets({ name: "deployer", namespace: "apps" });
    const call = { ...serving(), readServiceAccount: () => Promise.resolve(undefined) };
    expect(await problemOf(ask(keychain, "a.io", call))).toMatch(/service account apps\/deployer does not exist/);
    expect(await problemOf(ask(keychain, "a.io"))).toMatch(/no cluster .* kubeconfig/);
  });
});

test("without a cluster says what to give the call outside of a builder, which serves", async () => {
  const keychain = pullSecret({ name: "regcred" });
  expect(await problemOf(ask(keychain, "r.example.com/a"))).toMatch(
    /no cluster .*keychainReaders of @slipway\/cluster/,
  );
  const { keychainReaders } = await import("@slipway/cluster");
  const encoded = base64(JSON.stringify({ auths }));
  const read = <T>(): Promise<T | undefined> =>
    Promise.resolve({ type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": encoded } } as T);
  const readers = keychainReaders({ namespace: "builds", get: read }, AbortSignal.timeout(10_000));
  expect(await users(keychain, "r.example.com/a", readers)).toEqual(["ann"]);
});

describe("with a kubeconfig or a context", () => {
  const encoded = base64(JSON.stringify({ auths }));
  function cluster(objects: Readonly<Record<string, object>>): {
    connect: Parameters<typeof createPullSecret>[1] & object;
    log: string[];
  } {
    const log: string[] = [];
    return {
      log,
      connect: (options) => {
        log.push(`connect ${JSON.stringify(options)}`);
        return Promise.resolve({
          namespace: "of-context",
          get: <T>({ kind, namespace = "", name }: { kind: string; namespace?: string | undefined; name: string }) => {
            log.push(`get ${kind} ${namespace}/${name}`);
            return Promise.resolve(objects[`${kind} ${name}`] as T | undefined);
          },
          close: () => {
            log.push("close");
            return Promise.resolve();
          },
        });
      },
    };
  }

  test("a Secret is read without a builder", async () => {
    const { connect, log } = cluster({
      "Secret regcred": { type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": encoded } },
    });
    const keychain = createPullSecret({ name: "regcred", context: "prod" }, connect);
    expect(await ask(keychain, "r.example.com/a")).toMatchObject([
      { source: "secret of-context/regcred", username: "ann" },
    ]);
    expect(log).toEqual(['connect {"context":"prod"}', "get Secret of-context/regcred", "close"]);
  });

  test("an account is read without a builder, and the connection closed when that fails", async () => {
    const { connect, log } = cluster({});
    const keychain = createServiceAccountSecrets({ kubeconfig: "/k", namespace: "apps" }, connect);
    expect(await problemOf(ask(keychain, "r.example.com/a"))).toMatch(/apps\/default does not exist/);
    expect(log.slice(1)).toEqual(["get ServiceAccount apps/default", "close"]);
  });
});
