import { createBuilder } from "@slipway/core";
import type { DriverEvent, Keychain, NameInCluster } from "@slipway/core";
import { expect, test } from "vitest";

import { FakeCluster } from "./fake-cluster.ts";
import { createFakeDriver } from "./fake-driver.ts";

/** Reads what the keychains of a cluster read, and notes what there was. */
function reading(name: NameInCluster, read: unknown[]): Keychain {
  return {
    async resolve(_, { readSecret, readServiceAccount, warn }) {
      read.push(await readSecret?.(name), await readServiceAccount?.(name));
      warn?.("one of them is old");
      return [];
    },
  };
}

async function readIn(cluster: FakeCluster, name: NameInCluster) {
  const read: unknown[] = [];
  const warnings: DriverEvent[] = [];
  await using builder = createBuilder({
    driver: createFakeDriver({ cluster }),
    credentials: [reading(name, read)],
    onEvent: (event) => event.type === "warning" && warnings.push(event),
  });
  const tags = ["registry.example.com/team/api:v1"];
  await builder.build({ context: ".", dockerfileInline: "FROM scratch\n", tags }).result();
  return { read, warnings };
}

const bytes = (text: string) => new TextEncoder().encode(text);

test("keychains read the Secrets of the fake cluster by name and namespace, as they are at that moment", async () => {
  const cluster = new FakeCluster();
  cluster.secrets.set("default/regcred", { data: { "config.json": "{}" } });
  const type = "kubernetes.io/dockerconfigjson";
  cluster.secrets.set("apps/regcred", { type, data: { ".dockerconfigjson": bytes("{}") } });
  const [secret] = (await readIn(cluster, { name: "regcred" })).read;
  expect(secret).toEqual({
    namespace: "default",
    name: "regcred",
    type: "Opaque",
    data: { "config.json": bytes("{}") },
  });
  const [other] = (await readIn(cluster, { name: "regcred", namespace: "apps" })).read;
  expect(other).toEqual({ namespace: "apps", name: "regcred", type, data: { ".dockerconfigjson": bytes("{}") } });
  cluster.secrets.set("default/regcred", { data: { "config.json": "rotated" } });
  const [rotated] = (await readIn(cluster, { name: "regcred" })).read;
  expect(rotated).toMatchObject({ data: { "config.json": bytes("rotated") } });
  expect((await readIn(cluster, { name: "missing" })).read).toEqual([undefined, undefined]);
});

test("keychains read which Secrets an account of the fake cluster pulls with, and can warn", async () => {
  const cluster = new FakeCluster();
  cluster.serviceAccounts.set("apps/web", { imagePullSecrets: ["regcred"] });
  const { read, warnings } = await readIn(cluster, { name: "web", namespace: "apps" });
  expect(read).toEqual([undefined, { namespace: "apps", name: "web", imagePullSecrets: ["regcred"] }]);
  expect(warnings).toMatchObject([{ type: "warning", message: "one of them is old" }]);
});

test("a fake cluster without Secrets says how it gets the one that is asked for", async () => {
  const failing = readIn(new FakeCluster(), { name: "regcred", namespace: "apps" });
  await expect(failing).rejects.toMatchObject({
    code: "INVALID_OPTIONS",
    details: { issues: [{ path: "secret apps/regcred" }] },
  });
  await expect(failing).rejects.toThrow('driver.cluster.secrets.set("apps/regcred", { data: { "config.json": … } })');
});

test("the fake cluster knows who was made able to pull what", async () => {
  const cluster = new FakeCluster();
  await using builder = createBuilder({ driver: createFakeDriver({ cluster }) });
  await builder.ensurePullable({ namespace: "preview-42", images: ["registry.example.com/team/api"] });
  await builder.ensurePullable({ namespace: "preview-42", serviceAccount: "web" });
  expect(cluster.pullables).toEqual([
    { namespace: "preview-42", serviceAccount: "default", images: ["registry.example.com/team/api"] },
    { namespace: "preview-42", serviceAccount: "web" },
  ]);
});
