import { setTimeout as delay } from "node:timers/promises";

import { apiStatusOf } from "@slipway/cluster";
import type { Secret, ServiceAccount } from "@slipway/cluster";
import { BuilderError, invalidOptions } from "@slipway/core";
import type { Keychain } from "@slipway/core";
import { describe, expect, test } from "vitest";

import { createKeychain, ensurePullable, kubeletLookup, pullSecret, staticCredentials } from "../index.ts";
import type { KubeletCredential, PullableCluster } from "../index.ts";
import { problemOf, secret, serving } from "../testing/keychain-questions.ts";
import { updateReferences } from "./account-references.ts";

const call = { signal: AbortSignal.timeout(60_000) };
const given = (registry: string, username: string, password = "hunter2"): Keychain =>
  staticCredentials({ registry, username, password });

/** A namespace of an API server that keeps objects, versions, and nothing else. */
class FakeNamespace implements PullableCluster {
  readonly server = "https://api.example.com";
  readonly secrets = new Map<string, Secret>();
  readonly writes: string[] = [];
  account: ServiceAccount | undefined;
  /** Does something between the reading and the writing of the account. */
  beforePatch: (() => void) | undefined;
  accountAppears: ServiceAccount | undefined;
  readNamespace = async (name: string): Promise<object | undefined> => ({ metadata: { name } });

  constructor(imagePullSecrets: readonly string[] = []) {
    this.account = this.makeAccount(imagePullSecrets);
  }

  makeAccount(names: readonly string[]): ServiceAccount {
    const resourceVersion = String(Number(this.account?.metadata?.resourceVersion ?? 0) + 1);
    return { metadata: { name: "default", resourceVersion }, imagePullSecrets: names.map((name) => ({ name })) };
  }

  get names(): readonly string[] {
    return (this.account?.imagePullSecrets ?? []).flatMap(({ name }) => name ?? []);
  }

  get: PullableCluster["get"] = async <T>({ kind, name }: { kind: string; name: string }) => {
    if (kind === "Namespace") return (await this.readNamespace(name)) as T | undefined;
    return (kind === "Secret" ? this.secrets.get(name) : this.account) as T | undefined;
  };

  list: PullableCluster["list"] = async (_, options = {}) => {
    const wanted = (options.labelSelector ?? "").split(",").map((pair) => pair.split("="));
    const items = [...this.secrets.values()].filter(({ metadata }) =>
      wanted.every(([name = "", value]) => metadata?.labels?.[name] === value),
    );
    return { items: items as never[], resourceVersion: "1" };
  };

  apply: PullableCluster["apply"] = async (object) => {
    this.writes.push(`apply ${object.metadata?.name ?? ""}`);
    this.secrets.set(object.metadata?.name ?? "", object);
    return object;
  };

  patch: PullableCluster["patch"] = async <T>(_: unknown, patch: unknown) => {
    this.beforePatch?.();
    const { metadata, imagePullSecrets } = patch as ServiceAccount;
    if (metadata?.resourceVersion !== this.account?.metadata?.resourceVersion) throw conflict();
    this.writes.push("patch account");
    this.account = this.makeAccount((imagePullSecrets ?? []).flatMap(({ name }) => name ?? []));
    return this.account as T;
  };

  delete: PullableCluster["delete"] = async ({ name }) => {
    this.writes.push(`delete ${name}`);
    this.secrets.delete(name);
  };

  waitFor: PullableCluster["waitFor"] = async (_, options) => {
    this.account = this.accountAppears;
    const found = this.account === undefined ? undefined : await options.until([this.account as never]);
    if (found !== undefined) return found;
    throw new BuilderError({ code: "TIMEOUT", message: "late", details: { timeoutMs: options.timeoutMs ?? 0 } });
  };
}

/** What a node tries for an image, with the Secrets in the order of the account. */
function pulling({ names, secrets }: FakeNamespace, image: string): readonly KubeletCredential[] {
  const data = names.map((name) => ({
    ...{ namespace: "apps", name, type: secrets.get(name)?.type ?? "" },
    data: { ".dockerconfigjson": Buffer.from(secrets.get(name)?.data?.[".dockerconfigjson"] ?? "", "base64") },
  }));
  return kubeletLookup(data, image).credentials;
}

function forbidden(): Error {
  const details = { verb: "patch", resource: "serviceaccounts" };
  return new BuilderError({ code: "FORBIDDEN", message: "Not allowed.", details });
}

function unacceptable(): Error {
  return invalidOptions("the Secret", [{ path: "labels", message: "the policy does not take them" }]);
}

function late(): Error {
  return new BuilderError({ code: "TIMEOUT", message: "late", details: { timeoutMs: 0 } });
}

function conflict(): Error {
  const status = { code: 409, reason: "Conflict", message: "changed" };
  return Object.assign(new Error("409"), { [Symbol.for("slipway.apiStatus")]: status });
}

const images = ["r.io/team/app:v1"];
const options = { namespace: "apps", images };

const login = (username: string) => ({ auth: Buffer.from(`${username}:hunter2`).toString("base64") });

describe("ensurePullable", () => {
  test("copies credentials into the namespace and names them in the account, others first", async () => {
    const cluster = new FakeNamespace(["theirs"]);
    const result = await ensurePullable(cluster, { ...options, keychain: given("r.io", "ann") }, call);
    expect(result.warnings).toEqual([]);
    expect(cluster.names).toEqual(["theirs", ...result.secrets]);
    const [made] = cluster.secrets.values();
    expect(made).toMatchObject({
      type: "kubernetes.io/dockerconfigjson",
      metadata: {
        namespace: "apps",
        name: expect.stringMatching(/^slipway-pull-r-io-[0-9a-f]{10}$/) as string,
        labels: { "app.kubernetes.io/managed-by": "slipway" },
        annotations: { "slipway.dev/registry": "r.io" },
      },
    });
    expect(pulling(cluster, "r.io/team/app")).toMatchObject([{ username: "ann", password: "hunter2" }]);
  });

  test("writes nothing the second time, and the new password after a change", async () => {
    const cluster = new FakeNamespace();
    await ensurePullable(cluster, { ...options, keychain: given("r.io", "ann") }, call);
    cluster.writes.length = 0;
    const { secrets } = await ensurePullable(cluster, { ...options, keychain: given("r.io", "ann") }, call);
    expect(cluster.writes).toEqual([]);
    await ensurePullable(cluster, { ...options, keychain: given("r.io", "ann", "rotated") }, call);
    expect(cluster.writes).toEqual([`apply ${secrets[0] ?? ""}`]);
  });

  test("takes away what is left of a second credential, after no account names it", async () => {
    const cluster = new FakeNamespace();
    const both = createKeychain(given("r.io", "ann"), given("r.io", "bob"));
    const { secrets } = await ensurePullable(cluster, { ...options, keychain: both }, call);
    expect(cluster.names).toEqual(secrets);
    expect(secrets).toHaveLength(2);
    cluster.writes.length = 0;
    await ensurePullable(cluster, { ...options, keychain: given("r.io", "ann") }, call);
    expect(cluster.names).toEqual(secrets.slice(0, 1));
    expect(cluster.writes).toEqual(["patch account", `delete ${secrets[1] ?? ""}`]);
  });

  test.each([
    ["its entry has moved to a path", given("r.io/team", "ann"), ["r.io/team"]],
    ["its entry has gone", createKeychain(), []],
    ["its password has become a token", staticCredentials({ registry: "r.io", registryToken: "bearer" }), []],
  ])("takes away a Secret when %s", async (_title, keychain, keys) => {
    const cluster = new FakeNamespace(["theirs"]);
    const { secrets } = await ensurePullable(cluster, { ...options, keychain: given("r.io", "ann") }, call);
    await ensurePullable(cluster, { ...options, owner: "other", keychain: given("r.io", "bob") }, call);
    const [, , others = ""] = cluster.names;
    const now = await ensurePullable(cluster, { ...options, keychain }, call);
    expect([...cluster.secrets.keys()].toSorted()).toEqual([others, ...now.secrets].toSorted());
    expect(cluster.names).toEqual(["theirs", others, ...now.secrets]);
    expect(cluster.names).not.toContain(secrets[0]);
    const left = now.secrets.map((name) => cluster.secrets.get(name)?.metadata?.annotations?.["slipway.dev/registry"]);
    expect(left).toEqual(keys);
  });

  test("asked for a registry, takes away what it has for any path of it, and nothing of other registries", async () => {
    const cluster = new FakeNamespace();
    const before = createKeychain(given("r.io/team", "ann"), given("r.io.example", "bob"));
    await ensurePullable(cluster, { ...options, images: ["r.io", "r.io.example"], keychain: before }, call);
    const { secrets } = await ensurePullable(
      cluster,
      { ...options, images: ["r.io"], keychain: given("r.io", "ann") },
      call,
    );
    const others = await ensurePullable(cluster, { ...options, images: ["r.io.example"], keychain: before }, call);
    expect([...cluster.secrets.keys()].toSorted()).toEqual([...secrets, ...others.secrets].toSorted());
  });

  test("takes away what it has under the port of HTTPS, and nothing under the name without it", async () => {
    const cluster = new FakeNamespace();
    const [withPort, without] = [["r.io:443/app"], ["r.io/app"]];
    await ensurePullable(cluster, { ...options, images: withPort, keychain: given("r.io", "ann") }, call);
    const kept = await ensurePullable(cluster, { ...options, images: without, keychain: given("r.io", "ann") }, call);
    expect(cluster.secrets.size).toBe(2);
    await ensurePullable(cluster, { ...options, images: withPort, keychain: createKeychain() }, call);
    expect([...cluster.secrets.keys()]).toEqual(kept.secrets);
  });

  test("asked for an image, leaves alone what other images of the registry need", async () => {
    const cluster = new FakeNamespace();
    const keychain = given("r.io/team", "ann");
    const { secrets } = await ensurePullable(cluster, { ...options, keychain }, call);
    await ensurePullable(cluster, { ...options, images: ["r.io/teams/app"], keychain: createKeychain() }, call);
    expect(cluster.names).toEqual(secrets);
  });

  describe("with one login under a path and under its whole registry", () => {
    const [inPath, beside] = [["r.io/team/app:v1"], ["r.io/other/x:v1"]];
    const users = (cluster: FakeNamespace, image: string) => pulling(cluster, image).map(({ username }) => username);

    test.each([
      ["by name", "r.io"],
      ["by a wildcard", "*.io"],
    ])("leaves alone what another image of it needs, that is given %s", async (_title, registry) => {
      const cluster = new FakeNamespace();
      const keychain = createKeychain(given("r.io/team", "robot"), given(registry, "robot"));
      for (const images of [beside, inPath]) await ensurePullable(cluster, { ...options, images, keychain }, call);
      expect(users(cluster, "r.io/other/x")).toEqual(["robot"]);
      cluster.writes.length = 0;
      for (const images of [beside, inPath]) await ensurePullable(cluster, { ...options, images, keychain }, call);
      expect(cluster.writes).toEqual([]);
    });

    test.each([
      ["by name", "r.io"],
      ["by a wildcard", "*.io"],
    ])("writes the same for each image of it, and all that is given %s", async (_title, registry) => {
      const cluster = new FakeNamespace();
      const keychain = createKeychain(given("r.io/team", "robot"), given(registry, "robot"), given(registry, "second"));
      for (const images of [inPath, beside]) await ensurePullable(cluster, { ...options, images, keychain }, call);
      expect(users(cluster, "r.io/other/x")).toEqual(["robot", "second"]);
      cluster.writes.length = 0;
      await ensurePullable(cluster, { ...options, images: inPath, keychain }, call);
      expect(cluster.writes).toEqual([]);
    });

    test.each([
      [{ "r.io/team": "a", "r.io/other": "b" }, ["a"], ["b"]],
      [{ "r.io": "a", "r.io/other": "b" }, ["a"], ["b", "a"]],
    ])("keeps what helpers of paths have said for the images of theirs: %j", async (credHelpers, team, other) => {
      const cluster = new FakeNamespace();
      const keychain = pullSecret({ name: "own" });
      const runCredentialHelper = (name: string) =>
        Promise.resolve({ status: 0, output: JSON.stringify({ Username: name, Secret: "hunter2" }) });
      const asking = { ...call, ...serving(secret("own", { credHelpers })), runCredentialHelper };
      for (const images of [inPath, beside, inPath])
        await ensurePullable(cluster, { ...options, images, keychain }, asking);
      expect(cluster.writes.filter((write) => write.startsWith("delete"))).toEqual([]);
      expect([users(cluster, "r.io/team/app"), users(cluster, "r.io/other/x")]).toEqual([team, other]);
    });

    test("takes away what is no more under the registry, whichever image is built", async () => {
      const cluster = new FakeNamespace();
      const path = given("r.io/team", "robot");
      const before = createKeychain(path, given("r.io", "robot"), given("r.io", "second"));
      const { secrets } = await ensurePullable(cluster, { ...options, images: beside, keychain: before }, call);
      const fewer = createKeychain(path, given("r.io", "robot"));
      const own = await ensurePullable(cluster, { ...options, images: inPath, keychain: fewer }, call);
      expect(cluster.names).toEqual([secrets[0], ...own.secrets]);
      // Nobody pulls from the path whose entry is broken.
      const broken = serving(secret("regcred", { auths: { "r.io/broken": { auth: "?" } } }));
      const none = createKeychain(path, pullSecret({ name: "regcred" }));
      await ensurePullable(cluster, { ...options, images: inPath, keychain: none }, { ...call, ...broken });
      expect(cluster.names).toEqual(own.secrets);
      expect(broken.warnings).toEqual([]);
    });

    test("asks about the key of a Secret once, and about no image while its login is there", async () => {
      const cluster = new FakeNamespace();
      const inner = createKeychain(given("r.io/team", "robot"), given("r.io", "robot"));
      const { secrets } = await ensurePullable(cluster, { ...options, images: beside, keychain: inner }, call);
      const asked: string[] = [];
      const keychain: Keychain = {
        resolve: (resource, its) => {
          asked.push(resource.repository ?? "");
          return inner.resolve(resource, its);
        },
      };
      const own = await ensurePullable(cluster, { ...options, images: inPath, keychain }, call);
      expect(asked).toEqual(["team/app", "team", ""]);
      expect(cluster.names).toEqual([...secrets, ...own.secrets]);
    });
  });

  test("takes nothing away while a source cannot be read", async () => {
    const cluster = new FakeNamespace();
    const keychain = pullSecret({ name: "regcred" });
    const ask = { ...options, keychain };
    const config = { auths: { "r.io": login("ann") } };
    const { secrets } = await ensurePullable(cluster, ask, { ...call, ...serving(secret("regcred", config)) });
    expect(secrets).toHaveLength(1);
    const damaged = serving(secret("regcred", { auths: { "r.io": { auth: "?" } } }));
    const result = await ensurePullable(cluster, ask, { ...call, ...damaged });
    expect(result.secrets).toEqual([]);
    expect(damaged.warnings).toEqual([expect.stringMatching(/regcred/)]);
    expect(cluster.names).toEqual(secrets);
    expect([...cluster.secrets.keys()]).toEqual(secrets);
    // Once its helper is not to be had here, nobody knows what it would say.
    const helped = secret("regcred", { credHelpers: { "r.io": "ecr-login" } });
    await ensurePullable(cluster, ask, { ...call, ...serving(helped) });
    expect(cluster.names).toEqual(secrets);
    await ensurePullable(cluster, ask, { ...call, ...serving(secret("regcred", { auths: {} })) });
    expect(cluster.names).toEqual([]);
    expect(cluster.secrets.size).toBe(0);
  });

  test.each([
    ["empty", { auths: { "r.io": {} } }],
    ["without a value", { auths: { "r.io": { auth: "" } } }],
    ["of another path, and beside auths too", { auths: { "r.io/else": login("ann") }, "r.io/else": login("ann") }],
  ])("takes a login away whose entry is %s now", async (_, content) => {
    const cluster = new FakeNamespace();
    const ask = { ...options, keychain: pullSecret({ name: "regcred" }) };
    const serve = (config: unknown) => ({ ...call, ...serving(secret("regcred", config)) });
    await ensurePullable(cluster, ask, serve({ auths: { "r.io": login("ann") } }));
    expect(cluster.secrets.size).toBe(1);
    await ensurePullable(cluster, ask, serve(content));
    expect([cluster.names, cluster.secrets.size]).toEqual([[], 0]);
  });

  test("leaves alone what another builder has put there for another registry", async () => {
    const cluster = new FakeNamespace();
    const first = await ensurePullable(cluster, { ...options, keychain: given("r.io", "ann") }, call);
    const others = { ...options, images: ["other.io/app"], keychain: given("other.io", "bob") };
    const second = await ensurePullable(cluster, others, call);
    expect(cluster.names).toEqual([...first.secrets, ...second.secrets]);
    expect(cluster.secrets.size).toBe(2);
  });

  test("keeps what somebody adds to the account meanwhile", async () => {
    const cluster = new FakeNamespace();
    cluster.beforePatch = () => {
      cluster.beforePatch = undefined;
      cluster.account = cluster.makeAccount(["late"]);
    };
    const { secrets } = await ensurePullable(cluster, { ...options, keychain: given("r.io", "ann") }, call);
    expect(cluster.names).toEqual(["late", ...secrets]);
  });

  test("waits for the account of a fresh namespace, and names one that never comes", async () => {
    const cluster = new FakeNamespace();
    cluster.accountAppears = cluster.account;
    cluster.account = undefined;
    await ensurePullable(cluster, { ...options, keychain: given("r.io", "ann") }, call);
    expect(cluster.names).toHaveLength(1);
    cluster.account = cluster.accountAppears = undefined;
    const missing = { ...options, serviceAccount: "deployer", keychain: given("r.io", "ann") };
    expect(await problemOf(ensurePullable(cluster, missing, call))).toMatch(
      /ServiceAccount apps\/deployer does not exist/,
    );
  });

  test("does not touch a Secret of somebody else that has the name", async () => {
    const cluster = new FakeNamespace();
    const { secrets } = await ensurePullable(cluster, { ...options, keychain: given("r.io", "ann") }, call);
    cluster.secrets.set(secrets[0] ?? "", { metadata: { name: secrets[0] ?? "" } });
    const again = ensurePullable(cluster, { ...options, keychain: given("r.io", "ann") }, call);
    expect(await problemOf(again)).toMatch(/is not one that Slipway has made/);
  });

  test("without credentials leaves the account as it is", async () => {
    const cluster = new FakeNamespace(["theirs"]);
    const result = await ensurePullable(cluster, { ...options, keychain: createKeychain() }, call);
    expect(result).toEqual({
      secrets: [],
      warnings: [expect.stringMatching(/no credentials for r\.io\/team\/app:v1: .* anonymously/) as string],
    });
    expect(cluster.writes).toEqual([]);
    const quiet = { ...options, anonymous: "allow", keychain: createKeychain() } as const;
    expect(await ensurePullable(cluster, quiet, call)).toEqual({ secrets: [], warnings: [] });
  });

  test("names each image once that the keychain has nothing for, under whatever names nodes know it", async () => {
    const aliases = { "127.0.0.1:30500": "registry:5000" };
    const named = { ...options, aliases, images: ["registry:5000/app", "other.io", "r.io/app"] };
    const { warnings } = await ensurePullable(new FakeNamespace(), { ...named, keychain: given("r.io", "ann") }, call);
    expect(warnings).toEqual([
      expect.stringMatching(/^There are no credentials for registry:5000\/app:/),
      expect.stringMatching(/^There are no credentials for other\.io:/),
    ]);
  });

  test("writes nothing for an account that does not exist, or in a namespace that does not", async () => {
    const cluster = new FakeNamespace();
    cluster.account = undefined;
    const keychain = given("r.io", "ann");
    expect(await problemOf(ensurePullable(cluster, { ...options, keychain }, call))).toMatch(/apps\/default does not/);
    cluster.readNamespace = () => Promise.resolve(undefined);
    await expect(ensurePullable(cluster, { ...options, keychain }, call)).rejects.toMatchObject({
      code: "NAMESPACE_NOT_FOUND",
      details: { namespace: "apps" },
    });
    // Who may not read namespaces waits for the account.
    cluster.readNamespace = () => Promise.reject(forbidden());
    cluster.accountAppears = cluster.makeAccount([]);
    cluster.waitFor = () => Promise.reject(late());
    expect(await problemOf(ensurePullable(cluster, { ...options, keychain }, call))).toMatch(/apps\/default does not/);
    expect([cluster.writes, cluster.secrets.size]).toEqual([[], 0]);
  });

  test("takes back what it has created if the account may not be changed, and nothing that was there", async () => {
    const cluster = new FakeNamespace();
    const { secrets } = await ensurePullable(cluster, { ...options, keychain: given("r.io", "ann") }, call);
    const both = { ...options, keychain: createKeychain(given("r.io", "ann"), given("r.io/team", "bob")) };
    const patch = cluster.patch;
    cluster.patch = () => Promise.reject(forbidden());
    await expect(ensurePullable(cluster, both, call)).rejects.toMatchObject({ code: "FORBIDDEN" });
    expect([...cluster.secrets.keys()]).toEqual(secrets);
    // What fails by accident is left to the next call, which others may be ahead of.
    cluster.patch = () => Promise.reject(new Error("the API server is away"));
    await expect(ensurePullable(cluster, both, call)).rejects.toThrow(/is away/);
    expect(cluster.secrets.size).toBe(2);
    cluster.patch = patch;
    await ensurePullable(cluster, both, call);
    expect(cluster.names).toHaveLength(2);
  });

  test("leaves what it has created where a quota lets it create no more: another call may be about to name it", async () => {
    const both = { ...options, keychain: createKeychain(given("r.io", "ann"), given("r.io/team", "bob")) };
    const cluster = new FakeNamespace();
    const apply = cluster.apply;
    cluster.apply = (object) => (cluster.secrets.size === 0 ? apply(object) : Promise.reject(forbidden()));
    await expect(ensurePullable(cluster, both, call)).rejects.toMatchObject({ code: "FORBIDDEN" });
    expect(cluster.secrets.size).toBe(1);
  });

  test("takes back what it has created beside a Secret that the cluster does not take, and writes nothing later", async () => {
    const both = { ...options, keychain: createKeychain(given("r.io", "ann"), given("r.io/team", "bob")) };
    const cluster = new FakeNamespace();
    const apply = cluster.apply;
    cluster.apply = async (object, its) => {
      if (object.metadata?.annotations?.["slipway.dev/registry"] === "r.io/team") throw unacceptable();
      await delay(20);
      return await apply(object, its);
    };
    await expect(ensurePullable(cluster, both, call)).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
    expect(cluster.writes).toEqual([expect.stringMatching(/^apply /), expect.stringMatching(/^delete /)]);
    expect(cluster.secrets.size).toBe(0);
  });

  test("writes nothing beside a Secret of somebody else, whether the account names it or not", async () => {
    const both = { ...options, keychain: createKeychain(given("r.io", "ann"), given("r.io/team", "bob")) };
    const cluster = new FakeNamespace();
    const { secrets } = await ensurePullable(cluster, both, call);
    const [team = "", whole = ""] = secrets;
    for (const named of [[], [team]]) {
      cluster.secrets.clear();
      cluster.secrets.set(whole, { metadata: { name: whole } });
      cluster.account = cluster.makeAccount(named);
      cluster.writes.length = 0;
      expect(await problemOf(ensurePullable(cluster, both, call))).toMatch(/is not one that Slipway has made/);
      expect([[...cluster.secrets.keys()], cluster.names, cluster.writes]).toEqual([[whole], named, []]);
    }
  });

  test.each(["https://ghcr.io/team/api", "ghcr.io/", "Nginx", "", "r.io/team/App", "r.io/app:", "a".repeat(64)])(
    "refuses %j, before anything is asked",
    async (name) => {
      const asked: string[] = [];
      const keychain: Keychain = { resolve: ({ registry }) => (asked.push(registry), Promise.resolve([])) };
      const cluster = new FakeNamespace();
      cluster.account = undefined;
      const refused = ensurePullable(cluster, { ...options, images: ["r.io/app", name], keychain }, call);
      await expect(refused).rejects.toThrow(/images\[1\]: ".*" (is|has) .*write/);
      expect([asked, cluster.writes]).toEqual([[], []]);
    },
  );

  test("shows no password that somebody has written into a name", async () => {
    const names = ["https://ann:hunter2@r.io/app", "ann:hunter2@r.io/app", "ann:hunter2@r.io"];
    for (const name of names.flatMap((each) => [each, `${each}@sha256:${"0".repeat(64)}`])) {
      const named = { ...options, images: [name], keychain: createKeychain() };
      expect(await problemOf(ensurePullable(new FakeNamespace(), named, call))).toMatch(/^"(?!.*hunter2).*r\.io/);
    }
  });
});

test.each([
  [["a", "x"], ["x"], [], undefined],
  [["a"], ["x"], [], ["a", "x"]],
  [["y", "a", "x"], ["x", "y"], [], ["a", "x", "y"]],
  [["x", "a", "y"], ["x", "y"], [], undefined],
  [["a", "z", "x"], ["x"], ["z"], ["a", "x"]],
  [[], [], [], undefined],
])("%j with %j and without %j becomes %j", (present, wanted, obsolete, expected) => {
  expect(updateReferences(present, { wanted, obsolete })).toEqual(expected);
});

test("the fake conflict is one to the cluster package", () => {
  expect(apiStatusOf(conflict())?.reason).toBe("Conflict");
});
