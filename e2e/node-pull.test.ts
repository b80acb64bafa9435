import type { Pod } from "@slipway/cluster";
import { createBuilder, type DriverEvent } from "slipway";
import { buildkitDriver } from "slipway/buildkit";
import { pullSecret } from "slipway/secrets";
import { expect, it } from "vitest";

import { createContextFolder } from "./support/context-folder.ts";
import { deployRegistry } from "./support/registries/deploy-registry.ts";
import { applyPullSecret, randomUser } from "./support/registries/pull-secret-object.ts";
import { listTags } from "./support/registries/registry-access.ts";
import { registryDriverOptions } from "./support/registries/registry-names.ts";
import { createTestNamespace, type TestNamespace } from "./support/test-namespace.ts";

const pullFailureGraceMs = 1_000;

it("NODE-PULL: after ensurePullable a pod in a fresh namespace runs the image by the name that nodes pull", async () => {
  await using namespace = await createTestNamespace();
  await using fresh = await createTestNamespace();
  let user = randomUser("team");
  const registry = await deployRegistry(namespace, {
    auth: { htpasswd: { [user.name]: user.password } },
    nodePort: true,
  });
  const nodeHost = registry.nodeHost ?? "";
  await applyPullSecret(namespace, "regcred", { [registry.host]: user });
  const options = registryDriverOptions(namespace);
  const registries = { ...options.registries, [registry.host]: { http: true, nodeAddress: nodeHost } };
  const builderOfThisProcess = (name = "slipway") =>
    createBuilder({
      driver: buildkitDriver({ ...options, name, registries }),
      credentials: [pullSecret({ name: "regcred" })],
    });
  await using builder = builderOfThisProcess();
  const { busybox } = namespace.testCluster.bases;
  const build = async (tag: string, marker: string): Promise<string> => {
    await using context = await createContextFolder(appFiles(busybox, marker));
    const tags = [`${registry.host}/team/app:${tag}`];
    const { digest } = await builder.build({ context: context.path, tags }).image();
    return `${nodeHost}/team/app@${digest}`;
  };
  const image = await build("1", "ran by its node name\n");

  await expect(runPod(fresh, "before", image)).rejects.toMatchObject({
    code: "IMAGE_PULL_FAILED",
    details: { image },
  });

  const { secrets, warnings } = await builder.ensurePullable({ namespace: fresh.name, images: [image] });
  expect(secrets.length).toBeGreaterThan(0);
  expect(warnings).toEqual([]);
  expect(await runPod(fresh, "after", image)).toBe("ran by its node name\n");
  // Once more changes nothing.
  expect(await builder.ensurePullable({ namespace: fresh.name, images: [image] })).toEqual({ secrets, warnings });

  // A builder that does not run is not started for it.
  await using idle = builderOfThisProcess("idle");
  await using unrelated = await createTestNamespace();
  expect((await idle.ensurePullable({ namespace: unrelated.name, images: [image] })).secrets).toHaveLength(1);
  expect(await namespace.cluster.get({ apiVersion: "apps/v1", kind: "Deployment", name: "idle" })).toBeUndefined();

  // Each build brings what nodes pull with in step with the Secrets that it comes from.
  const rotate = async (): Promise<void> => {
    user = randomUser(user.name);
    await registry.setPasswords({ [user.name]: user.password });
    await applyPullSecret(namespace, "regcred", { [registry.host]: user });
  };
  await rotate();
  const next = await build("2", "ran with the next password\n");
  expect(await runPod(fresh, "rotated", next)).toBe("ran with the next password\n");

  // So does each publication. Without a tag the image gets one that names what it was built from.
  await using context = await createContextFolder(appFiles(busybox, "ran as it was published\n"));
  const recorded = { context: context.path, tags: [`${registry.host}/team/app:3`], skipIfPresent: true };
  const { reference } = await builder.build(recorded).image();
  await rotate();
  const destination = `${registry.host}/released/app`;
  const elsewhere = `${namespace.repository}:released`;
  const progress = new Map<string, DriverEvent<"push-progress">>();
  const onEvent = (event: DriverEvent): void => {
    if (event.type === "push-progress") progress.set(event.reference, event);
  };
  const published = await builder.publish({ source: reference, destinations: [destination, elsewhere] }, { onEvent });
  // Its layers are mounted beside those of the source, and sent to the other registry.
  const { sentBytes } = published;
  expect(sentBytes).toBeGreaterThan(0);
  expect(progress.get(destination)).toMatchObject({ sentBytes: 0, totalBytes: 0 });
  expect(progress.get(elsewhere)).toMatchObject({ sentBytes, totalBytes: sentBytes });
  const [tag = "", ...others] = await listTags(registry, user, "released/app");
  expect(tag).toMatch(/^v-[0-9a-f]{16}$/);
  expect(others).toEqual([]);
  expect(await runPod(fresh, "published", `${nodeHost}/released/app:${tag}`)).toBe("ran as it was published\n");

  // Another builder, which builds nothing because it is there, knows the same name.
  await using other = builderOfThisProcess();
  const { skipped, image: found } = await other.build(recorded).result();
  expect(skipped).toBe(true);
  const again = await other.publish({ source: found?.reference ?? "", destinations: [destination] });
  expect(again).toMatchObject({ digest: published.digest, sentBytes: 0 });
  expect(await listTags(registry, user, "released/app")).toEqual([tag]);
});

function appFiles(base: string, marker: string): Record<string, string> {
  return { Dockerfile: `FROM ${base}\nCOPY marker /marker\nCMD ["cat", "/marker"]\n`, marker };
}

/** Runs a pod to its end and returns what it printed. */
async function runPod({ cluster, name: namespace }: TestNamespace, name: string, image: string): Promise<string> {
  await cluster.waitFor(
    { apiVersion: "v1", kind: "ServiceAccount", namespace },
    { until: (accounts) => accounts.find(({ metadata }) => metadata?.name === "default"), timeoutMs: 30_000 },
  );
  await cluster.create<Pod>({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 1,
      containers: [{ name: "app", image }],
    },
  });
  await cluster.waitForPod({
    ...{ namespace, name, graceMs: pullFailureGraceMs, timeoutMs: 60_000 },
    until: ({ status }) => (status?.phase === "Succeeded" || status?.phase === "Failed" ? status.phase : undefined),
  });
  return await cluster.readLog({ namespace, pod: name });
}
