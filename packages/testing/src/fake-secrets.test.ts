import { createBuilder, invalidOptions } from "@slipway/core";
import type { DriverEvent, Keychain, NameInCluster, PublishedImage, RegistryResource } from "@slipway/core";
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

/** A builder, and what its keychain is asked for; at one registry there are no good credentials. */
function startAsking(badRegistry?: string) {
  const asked: RegistryResource[] = [];
  const keychain: Keychain = {
    async resolve(resource) {
      asked.push(resource);
      if (resource.registry === badRegistry) throw invalidOptions("credentials", [{ path: "secret", message: "bad" }]);
      return [];
    },
  };
  return { asked, builder: createBuilder({ driver: createFakeDriver(), credentials: [keychain] }) };
}

const source = "registry.example.com/team/api:v1";
const built = { context: ".", dockerfileInline: "FROM scratch\n", tags: [source] };

test("the keychain is asked for the repositories of tags, and of what is published and where, in a dry run too", async () => {
  const { asked, builder } = startAsking();
  await using _ = builder;
  await builder.build(built).result();
  expect(asked).toEqual([{ registry: "registry.example.com", repository: "team/api", actions: ["push"] }]);
  for (const dryRun of [true, false]) {
    asked.length = 0;
    const destinations = [
      "one.example.com/api:v1",
      "one.example.com/team/web",
      "two.example.com:5000/api:v1",
      "busybox:1",
    ];
    await builder.publish({ source, destinations, versionTag: "v1", dryRun });
    expect(asked).toEqual([
      { registry: "registry.example.com", repository: "team/api", actions: ["pull"] },
      { registry: "one.example.com", repository: "api", actions: ["push"] },
      { registry: "one.example.com", repository: "team/web", actions: ["push"] },
      { registry: "two.example.com:5000", repository: "api", actions: ["push"] },
      { registry: "docker.io", repository: "library/busybox", actions: ["push"] },
    ]);
  }
});

test("what the keychain throws at a destination does not stop the others, and comes in the end", async () => {
  const { builder } = startAsking("bad.example.com");
  await using _ = builder;
  await builder.build(built).result();
  const failed: PublishedImage["failed"][number][] = [];
  const publishing = builder.publish({
    source,
    destinations: ["bad.example.com/api:v1", "good.example.com/api:v1"],
    beforeTag: (image) => void failed.push(...image.failed),
  });
  await expect(publishing).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
  await expect(publishing).rejects.toThrow("It is at good.example.com/api:v1.");
  expect(failed).toMatchObject([{ code: "INVALID_OPTIONS" }]);
});

test("the keychain is asked for images that pods pull, else for what was pushed and published, not in a dry run", async () => {
  const { asked, builder } = startAsking();
  await using _ = builder;
  const askedFor = async (images?: readonly string[]) => {
    asked.length = 0;
    await builder.ensurePullable({ namespace: "preview-42", ...(images && { images }) });
    return asked.map(({ registry, actions }) => `${actions.join()} ${registry}`);
  };
  expect(await askedFor()).toEqual([]);
  await builder.build(built).result();
  await builder.publish({ source, destinations: ["mirror.example.com/api:v1"] });
  await builder.publish({ source, destinations: ["dry.example.com/api:v1"], dryRun: true });
  expect(await askedFor()).toEqual(["pull registry.example.com", "pull mirror.example.com"]);
  const named = ["ghcr.io", "localhost:5000", "nginx:1.27", "team/api", "quay.io/team/api:v1", "quay.io/other"];
  const registries = ["ghcr.io", "localhost:5000", "docker.io", "quay.io"];
  expect(await askedFor(named)).toEqual(registries.map((registry) => `pull ${registry}`));
});

test("credentials that cannot be read make no account able to pull", async () => {
  const { builder } = startAsking("bad.example.com");
  await using _ = builder;
  const failing = builder.ensurePullable({ namespace: "preview-42", images: ["bad.example.com/api"] });
  await expect(failing).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
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
