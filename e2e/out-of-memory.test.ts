import { text } from "node:stream/consumers";

import type { Pod } from "@slipway/cluster";
import { createBuilder, type BuildResult, type BuilderError } from "slipway";
import { buildkitDriver, type BuildkitDriverOptions } from "slipway/buildkit";
import { describe, expect, it } from "vitest";

import { createContextFolder } from "./support/context-folder.ts";
import { observeBuild } from "./support/observed-build.ts";
import { createTestNamespace, type TestNamespace } from "./support/test-namespace.ts";

const limit = "128Mi";
/** Doubles a string until something stops it. */
const devourer = `awk 'BEGIN { s = "x"; while (1) s = s s }'`;
/** What ends with 137 and has nothing to do with memory. */
const endings = ["exit 137", "sleep 60 & kill -9 $!; wait $!"];

describe.concurrent("a builder with a memory limit", () => {
  it("POD-LOST: a step killed at the memory limit is OUT_OF_MEMORY, one that ends with 137 by itself is not", async () => {
    await using namespace = await createTestNamespace();
    const resources = { limits: { memory: limit } };
    const killed = await runStep(namespace, devourer, { resources });
    expect(killed).toMatchObject({ code: "OUT_OF_MEMORY", details: { namespace: namespace.name, limit } });
    expect((killed as BuilderError).message).toMatch(
      /memory limit of 128Mi: .*RUN awk.*Raise resources\.limits\.memory/s,
    );
    const pod = (killed as BuilderError<"OUT_OF_MEMORY">).details.pod;

    // In the same container, right after the kill.
    for (const step of endings)
      expect(await runStep(namespace, step, { resources })).toMatchObject({
        code: "BUILD_FAILED",
        details: { exitCode: 137 },
      });
    const { items } = await namespace.cluster.list<Pod>({ apiVersion: "v1", kind: "Pod" });
    expect(items.map(({ metadata }) => metadata?.name)).toEqual([pod]);
  });

  it("POD-LOST: a step killed at the memory limit of a rootless builder is OUT_OF_MEMORY", async () => {
    await using namespace = await createTestNamespace();
    const image = namespace.testCluster.images.buildkitRootless;
    const options = { rootless: true, image, resources: { limits: { memory: limit } } };
    expect(await runStep(namespace, devourer, options)).toMatchObject({ code: "OUT_OF_MEMORY", details: { limit } });
    expect(await runStep(namespace, "exit 137", options)).toMatchObject({ code: "BUILD_FAILED" });
  });

  it("POD-LOST: a program below a step killed at the memory limit is OUT_OF_MEMORY whatever the step makes of it", async () => {
    await using namespace = await createTestNamespace();
    const outcome = await runStep(namespace, `${devourer} || exit 2`, { resources: { limits: { memory: limit } } });
    expect(outcome).toMatchObject({ code: "OUT_OF_MEMORY", details: { limit } });
  });

  it("POD-LOST: the container killed at the memory limit is OUT_OF_MEMORY", async () => {
    await using namespace = await createTestNamespace();
    // Of the class Guaranteed, so that the step may make itself a worse victim than the daemon.
    const amounts = { cpu: "100m", memory: limit };
    const resources = { requests: amounts, limits: { ...amounts, cpu: "1" } };
    const outcome = await runStep(
      namespace,
      `echo 0 >/proc/self/oom_score_adj && ${devourer}`,
      { resources: { ...resources, requests: resources.limits } },
      () => makeDaemonTheVictim(namespace),
    );
    expect(outcome).toMatchObject({
      code: "OUT_OF_MEMORY",
      message: expect.stringMatching(/lost container "buildkitd": it went over its memory limit of 128Mi/) as string,
      details: { limit },
    });
  });

  it("POD-LOST: a limit that buildkitd cannot start with is OUT_OF_MEMORY, and nothing is left", async () => {
    await using namespace = await createTestNamespace();
    const outcome = await runStep(namespace, "true", { resources: { limits: { memory: "12Mi" } } });
    expect(outcome).toMatchObject({ code: "OUT_OF_MEMORY", details: { limit: "12Mi" } });
    const deployments = await namespace.cluster.list({ apiVersion: "apps/v1", kind: "Deployment" });
    expect(deployments.items).toEqual([]);
  });
});

describe("a builder without a memory limit", () => {
  it.for(endings)("POD-LOST: RUN %s stays BUILD_FAILED", async (step) => {
    await using namespace = await createTestNamespace();
    expect(await runStep(namespace, step, {})).toMatchObject({ code: "BUILD_FAILED", details: { exitCode: 137 } });
  });
});

async function runStep(
  namespace: TestNamespace,
  step: string,
  options: BuildkitDriverOptions,
  prepare: () => Promise<void> = () => Promise.resolve(),
): Promise<BuildResult | BuilderError> {
  const dockerfile = `FROM ${namespace.testCluster.bases.busybox}\nRUN ${step}\n`;
  await using context = await createContextFolder({ Dockerfile: dockerfile });
  await using builder = createBuilder({
    driver: buildkitDriver({ ...namespace.driverOptions, ...options }),
    retries: 0,
  });
  await builder.bootstrap().then(prepare, () => undefined);
  const startedMs = performance.now();
  const outcome = await observeBuild(builder.build({ context: context.path, outputs: [{ type: "cache-only" }] }))
    .outcome;
  console.log(
    `RUN ${step}: ${Math.round(performance.now() - startedMs)} ms: ${outcome instanceof Error ? outcome.message : "succeeded"}`,
  );
  return outcome;
}

/** Makes the kernel prefer buildkitd, whose death ends the container, to whatever takes the memory. */
async function makeDaemonTheVictim({ cluster }: TestNamespace): Promise<void> {
  const { items } = await cluster.list<Pod>({ apiVersion: "v1", kind: "Pod" });
  const command = ["sh", "-c", "echo 1000 >/proc/1/oom_score_adj && cat /proc/1/comm /proc/1/oom_score_adj"];
  await using stream = await cluster.exec({
    namespace: cluster.namespace,
    pod: items[0]?.metadata?.name ?? "",
    command,
    stdin: false,
  });
  expect(await text(stream.stdio)).toBe("buildkitd\n1000\n");
}
