import type { KubernetesObject, ObjectReference, Secret, ServiceAccount } from "@slipway/cluster";
import { createBuilder } from "@slipway/core";
import type { Credential, Keychain } from "@slipway/core";
import { expect, it } from "vitest";

import { buildkitDriver } from "./buildkit-driver.ts";
import { PullableTargets, type PullableCall } from "./pullable-targets.ts";

const registry = "registry.builds.svc:5000";

/** A namespace with one account; keeps what is applied to it. */
function fakeNamespace() {
  const secrets = new Map<string, unknown>();
  let account: ServiceAccount = {
    metadata: { name: "default", namespace: "apps", resourceVersion: "1" },
    imagePullSecrets: [],
  };
  const cluster: PullableCall["cluster"] = {
    server: "https://api.example.com",
    namespace: "builds",
    apply: <Kind extends KubernetesObject>(object: Kind) => {
      const config = (object as Secret).data?.[".dockerconfigjson"] ?? "";
      secrets.set(object.metadata?.name ?? "", JSON.parse(Buffer.from(config, "base64").toString("utf8")));
      return Promise.resolve(object);
    },
    get: <Kind extends KubernetesObject>({ kind }: ObjectReference) =>
      Promise.resolve(kind === "ServiceAccount" ? (account as Kind) : undefined),
    list: () => Promise.resolve({ items: [], resourceVersion: "1" }),
    patch: <Kind extends KubernetesObject>(_reference: ObjectReference, patch: unknown) => {
      account = { ...account, ...(patch as ServiceAccount), ...{ metadata: account.metadata ?? {} } };
      return Promise.resolve(account as Kind);
    },
    delete: () => Promise.resolve(),
    waitFor: () => expect.unreachable("the account is there"),
  };
  return { cluster, secrets, account: () => account };
}

it("gives an account what the images need, under the name that nodes pull by, and keeps it in step", async () => {
  let password = "old";
  const credential = (): Credential => ({ type: "basic", source: "test", username: "robot", password });
  const credentials: Keychain = {
    resolve: (resource) => Promise.resolve(resource.registry === registry ? [credential()] : []),
  };
  const { cluster, secrets, account } = fakeNamespace();
  const targets = new PullableTargets({
    name: "slipway",
    registries: { [registry]: { nodeAddress: "127.0.0.1:30500" } },
  });
  const call = { cluster, keychainCall: { signal: AbortSignal.timeout(10_000) } };
  const result = await targets.ensure({ namespace: "apps" }, credentials, call);
  expect(result.secrets).toHaveLength(secrets.size);
  expect(account().imagePullSecrets?.length).toBeGreaterThan(0);
  expect(JSON.stringify([...secrets.values()])).toContain('"127.0.0.1:30500');
  const auth = (text: string) => Buffer.from(`robot:${text}`).toString("base64");
  expect(JSON.stringify([...secrets.values()])).toContain(auth("old"));
  password = "new";
  await targets.bringInStep([`${registry}/team/app:1`], call);
  expect(JSON.stringify([...secrets.values()])).toContain(auth("new"));
});

it("warns when an account cannot be brought in step, and fails no build", async () => {
  const { cluster } = fakeNamespace();
  const warnings: string[] = [];
  const signal = AbortSignal.timeout(10_000);
  const keychainCall = { signal, warn: (message: string) => void warnings.push(message) };
  const credentials: Keychain = { resolve: () => Promise.resolve([]) };
  const targets = new PullableTargets({ name: "slipway", registries: {} });
  await targets.ensure({ namespace: "apps" }, credentials, { cluster, keychainCall });
  const broken = { ...cluster, get: () => Promise.reject(new Error("the API server is away")) };
  await targets.bringInStep([], { cluster: broken, keychainCall });
  expect(warnings).toEqual([expect.stringMatching(/apps\/default .*the API server is away/)]);
});

it("spreads no credentials beyond the images that were named", async () => {
  const asked = new Set<string>();
  const credentials: Keychain = {
    resolve: (resource) => {
      asked.add(`${resource.registry}/${resource.repository ?? ""}`);
      return Promise.resolve([]);
    },
  };
  const { cluster } = fakeNamespace();
  const targets = new PullableTargets({ name: "slipway", registries: { [registry]: {} } });
  const call = { cluster, keychainCall: { signal: AbortSignal.timeout(10_000) } };
  await targets.ensure({ namespace: "apps", images: ["r.example.com/team/app:1"] }, credentials, call);
  await targets.bringInStep(["vendor.example.com/other:1"], call);
  expect([...asked]).toEqual(["r.example.com/team/app"]);
  asked.clear();
  await targets.ensure({ namespace: "more" }, credentials, call);
  expect([...asked].toSorted()).toEqual([`${registry}/`, "vendor.example.com/other"]);
});

it("gives an account what was pushed before it was asked for, and what is pushed and published later", async () => {
  const credentials: Keychain = {
    resolve: ({ registry: host }) =>
      Promise.resolve([{ type: "basic", source: "test", username: host, password: "hunter2" }]),
  };
  const { cluster, secrets } = fakeNamespace();
  const targets = new PullableTargets({ name: "slipway", registries: {} });
  const call = { cluster, keychainCall: { signal: AbortSignal.timeout(10_000) } };
  const registries = () => JSON.stringify([...secrets.values()]).match(/[a-z]+\.example\.com/g) ?? [];
  await targets.bringInStep(["first.example.com/team/app:1"], call);
  expect(registries()).toEqual([]);
  await targets.ensure({ namespace: "apps" }, credentials, call);
  expect(registries()).toEqual(["first.example.com"]);
  await targets.bringInStep(["second.example.com/team/app"], call);
  expect(registries()).toEqual(["first.example.com", "second.example.com"]);
});

it("reads a registry as one, and an image of Docker Hub as one", async () => {
  const asked: string[] = [];
  const credentials: Keychain = {
    resolve: (resource) => {
      asked.push([resource.registry, resource.repository ?? "*"].join(" "));
      return Promise.resolve([]);
    },
  };
  const { cluster } = fakeNamespace();
  const targets = new PullableTargets({ name: "slipway", registries: { "registry:5000": {} } });
  const call = { cluster, keychainCall: { signal: AbortSignal.timeout(10_000) } };
  const images = ["ghcr.io", "nginx:1", "registry:5000"];
  await targets.ensure({ namespace: "apps", images }, credentials, call);
  expect(asked).toEqual(["ghcr.io *", "docker.io library/nginx", "registry:5000 *"]);
  asked.length = 0;
  await targets.ensure({ namespace: "more" }, credentials, call);
  expect(asked).toEqual(["registry:5000 *"]);
  await expect(targets.check({ namespace: "apps", images: ["https://ghcr.io/team/api"] })).rejects.toMatchObject({
    code: "INVALID_OPTIONS",
    details: { issues: [{ path: "images[0]" }] },
  });
});

it("refuses what is no image before a cluster is asked for a builder", async () => {
  await using builder = createBuilder({ driver: buildkitDriver({ kubeconfig: "/nowhere/kubeconfig" }) });
  const images = ["ghcr.io", "https://ghcr.io/team/api"];
  await expect(builder.ensurePullable({ namespace: "apps", images })).rejects.toMatchObject({
    code: "INVALID_OPTIONS",
    details: { issues: [{ path: "images[1]", message: '"https://ghcr.io/team/api" has a scheme; write it without' }] },
  });
});

it("says of images that were named, and of no others, that nobody has credentials for them", async () => {
  const warned: string[] = [];
  const signal = AbortSignal.timeout(10_000);
  const keychainCall = { signal, warn: (message: string) => void warned.push(message) };
  const credentials: Keychain = { resolve: () => Promise.resolve([]) };
  const { cluster } = fakeNamespace();
  const targets = new PullableTargets({ name: "slipway", registries: { [registry]: {} } });
  const call = { cluster, keychainCall };
  const { warnings } = await targets.ensure({ namespace: "apps", images: ["ghcr.io/team/api"] }, credentials, call);
  expect(warnings).toEqual([expect.stringContaining("no credentials for ghcr.io/team/api")]);
  expect((await targets.ensure({ namespace: "more" }, credentials, call)).warnings).toEqual([]);
  await targets.bringInStep(["vendor.example.com/other:1"], call);
  expect(warned).toEqual([]);
});
