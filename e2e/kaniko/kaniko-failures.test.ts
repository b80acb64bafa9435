import { randomBytes } from "node:crypto";

import type { PodTemplate } from "@slipway/cluster";
import type { BuilderError } from "slipway";
import { afterAll, describe, expect, test } from "vitest";

import { createContextFolder } from "../support/context-folder.ts";
import { evictPod } from "../support/evict-pod.ts";
import { resultOf } from "../support/observed-build.ts";
import { createKanikoNamespace, inProbe } from "./kaniko-namespace.ts";
import { KanikoTrials } from "./kaniko-trial.ts";

const kaniko = await createKanikoNamespace();
afterAll(() => kaniko[Symbol.asyncDispose]());

const trials = new KanikoTrials(kaniko);
const { from } = trials;
const { namespace } = kaniko;
const { testCluster } = namespace;
const { registry } = testCluster;

/** Doubles a string until something stops it. */
const hungry = 'BEGIN { s = "x"; while (1) s = s s }';
/** Whether the kernel kills all of a container at once. */
const isGroupKilled = (await inProbe(namespace, ["cat", "/proc/self/cgroup"])).trim() === "0::/";

describe.concurrent("what goes wrong", () => {
  test("UNSCHEDULABLE: a pod without a node fails within 15 s, with the reason", async () => {
    const startedMs = performance.now();
    const error = await trials.fail(`${from}RUN echo hello\n`, { driver: { nodeSelector: { nowhere: "true" } } });
    expect(performance.now() - startedMs).toBeLessThan(15_000);
    expect(error).toMatchObject({ code: "UNSCHEDULABLE", retryable: false });
    expect(error.message).toMatch(/node affinity\/selector|node selector/);
  });

  test("PULL-SECRET: one that does not exist is named, and no pod is made", async () => {
    const error = await trials.fail(`${from}RUN echo hello\n`, { driver: { pullSecret: "no-such-secret" } });
    expect(error.code).toBe("INVALID_OPTIONS");
    expect(error.message).toMatch(/secret no-such-secret does not exist/);
  });

  test("PULL-SECRET: a mounted one that does not exist is named", async () => {
    const mount = { mountPath: "/etc/extra", secret: { name: "no-such-mount" } };
    const error = await trials.fail(`${from}RUN echo hello\n`, { driver: { additionalMounts: [mount] } });
    expect(error.code).toBe("INVALID_OPTIONS");
    expect(error.message).toMatch(/no-such-mount/);
  });

  test("says which image of the executor cannot be pulled", async () => {
    const image = `${registry.clusterHost}/no/such:image`;
    const error = await trials.fail(`${from}RUN echo hello\n`, { driver: { image, podTemplate: never } });
    expect(error).toMatchObject({ code: "IMAGE_PULL_FAILED", details: { image } });
  });

  test("passes the exit code of a RUN on", async () => {
    const error = await trials.fail(`${from}RUN echo oh no && exit 42\n`);
    expect(error).toMatchObject({ code: "BUILD_FAILED", details: { exitCode: 42, step: "RUN echo oh no && exit 42" } });
  });

  test.each([
    [
      "a process of a step",
      `RUN ["awk", "${hungry.replaceAll('"', '\\"')}"]`,
      /A process of step "RUN \["awk".* was killed/,
    ],
    ["a process of a step's shell", `RUN awk '${hungry}'; exit $?`, /A process of step "RUN awk.* was killed/],
    [
      "the executor",
      "RUN dd if=/dev/urandom of=/noise bs=1M count=200",
      /The executor itself was killed .* while it kept/,
    ],
  ])(
    "OOM: %s that takes more memory than the pod may is told with the limit, and not tried again",
    async (_who, step, told) => {
      const driver = { resources: { limits: { memory: "160Mi" } } };
      const { outcome, build } = await trials.run(`${from}${step}\n`, { driver });
      expect(outcome).toMatchObject({ code: "OUT_OF_MEMORY", retryable: false, details: { limit: "160Mi" } });
      // With cgroup v2 the kernel kills executor and step at once, and nobody knows which of them took the memory.
      expect((outcome as BuilderError).message).toMatch(isGroupKilled ? /^The executor .*was killed.*160Mi/ : told);
      expect(build.events.filter(({ type }) => type === "build-retry")).toEqual([]);
    },
  );

  test("tells that a step has found the disk full, and does not try it again", async () => {
    const step = "RUN dd if=/dev/zero of=/small/file bs=1M count=16 && rm /small/file";
    const driver = { podTemplate: smallDisk("/small") };
    const { outcome, build } = await trials.run(`${from}RUN echo before\n${step}\n`, { driver });
    expect(outcome).toMatchObject({ code: "DISK_FULL", retryable: false });
    expect((outcome as BuilderError).message).toMatch(/step "RUN dd .*No space left on device/);
    expect(build.events.filter(({ type }) => type === "build-retry")).toEqual([]);
  });

  test("tells that the executor has found the disk full", async () => {
    const driver = { podTemplate: smallDisk("/copies") };
    await using folder = await createContextFolder({ noise: randomBytes(16 * 1024 * 1024) });
    const error = await trials.fail(`${from}COPY noise /copies/\n`, { driver, folder });
    expect(error).toMatchObject({ code: "DISK_FULL", retryable: false });
    expect(error.message).toMatch(/COPY noise .*no space left on device/);
  });

  test("builds again in another pod when its pod is evicted", async () => {
    const evicted: string[] = [];
    const { outcome, build } = await trials.run(`${from}RUN sleep 5\n`, {
      whileRunning: async (pod, running) => {
        await running.waitFor("step-log", ({ text }) => text.startsWith("Running: ["));
        const { name = "" } = pod.metadata ?? {};
        await evictPod(namespace, name);
        evicted.push(name);
      },
    });
    const result = await resultOf({ outcome });
    expect(build.events.filter(({ type }) => type === "build-retry")).toHaveLength(1);
    expect(result.pods.length).toBe(2);
    expect(result.pods).toContain(evicted[0]);
  });

  test("ends at the deadline that the cluster keeps", async () => {
    const error = await trials.fail(`${from}RUN sleep 600\n`, { driver: { deadlineMs: 8000 } });
    expect(error).toMatchObject({ code: "TIMEOUT", details: { timeoutMs: 8000 } });
  });
});

/** A volume of 4 MiB in the executor. */
function smallDisk(mountPath: string): PodTemplate {
  return {
    spec: {
      volumes: [{ name: "small", emptyDir: { medium: "Memory", sizeLimit: "4Mi" } }],
      containers: [{ name: "executor", volumeMounts: [{ name: "small", mountPath }] }],
    },
  };
}

/** An image that is not there must not be looked for in the network of somebody else. */
const never = { spec: { containers: [{ name: "executor", imagePullPolicy: "Never" }] } };
