import { execFile } from "node:child_process";
import { promisify } from "node:util";

import type { Pod } from "@slipway/cluster";
import { createBuilder } from "slipway";
import { buildkitDriver } from "slipway/buildkit";
import { afterAll, describe, expect, it } from "vitest";

import { startCuttingProxy } from "./streams/cutting-proxy.ts";
import { createContextFolder } from "./support/context-folder.ts";
import { readClusterAccess, writeKubeconfig } from "./support/kubeconfig-file.ts";
import { observeBuild, type ObservedBuild } from "./support/observed-build.ts";
import { createTestNamespace, type TestNamespace } from "./support/test-namespace.ts";
import { watchUnhandledRejections } from "./support/unhandled-rejections.ts";

/** What loses the pod of a build, and what the error has to say about it. */
interface Deed {
  readonly title: string;
  readonly lose: (namespace: TestNamespace, pod: Pod) => Promise<void>;
  readonly cause: RegExp;
  /** It takes a command on the node, which only the embedded cluster has. */
  readonly onNode?: boolean;
}

const deeds: readonly Deed[] = [
  {
    title: "pod deleted",
    lose: ({ cluster }, { metadata }) => cluster.delete({ apiVersion: "v1", kind: "Pod", name: metadata?.name ?? "" }),
    cause: /is being deleted|was deleted/,
  },
  {
    title: "buildkitd killed with -9 from the node",
    lose: killDaemon,
    cause: /lost container "buildkitd": .*137/,
    onNode: true,
  },
  { title: "pod evicted", lose: evict, cause: /was evicted \(EvictionByEvictionAPI\)/ },
];

describe("a pod that is lost during a build", () => {
  const unhandled = watchUnhandledRejections();
  afterAll(() => unhandled[Symbol.dispose]());

  describe.concurrent("without retries", () => {
    it.for(deeds)(
      "POD-LOST: $title: an error with pod and cause within 10 s",
      async ({ lose, cause, title, onNode = false }, { skip }) => {
        await using namespace = await createTestNamespace();
        skip(onNode && !namespace.testCluster.owned, "SLIPWAY_KUBECONFIG names a cluster whose nodes take no commands");
        await using context = await createContextFolder({ Dockerfile: sleeping(namespace), seconds: "600" });
        await using builder = createBuilder({ driver: buildkitDriver(namespace.driverOptions), retries: 0 });
        const build = observeBuild(builder.build({ context: context.path, tags: [`${namespace.repository}:1`] }));
        const pod = await runningPod(namespace, build);
        const lostMs = performance.now();
        await lose(namespace, pod);
        const outcome = await build.outcome;
        console.log(`${title}: ${Math.round(performance.now() - lostMs)} ms: ${(outcome as Error).message}`);
        expect(performance.now() - lostMs).toBeLessThan(10_000);
        expect(outcome).toMatchObject({
          code: "POD_LOST",
          message: expect.stringMatching(cause) as string,
          details: { namespace: namespace.name, pod: pod.metadata?.name },
          retryable: true,
        });
        expect(build.events.at(-1)).toMatchObject({ type: "build-end", outcome: "failed" });
        expect(unhandled.reasons).toEqual([]);
      },
    );
  });

  describe.concurrent("with retries", () => {
    it.for(deeds)(
      "POD-LOST: $title: the build is tried again and succeeds",
      async ({ lose, cause, title, onNode = false }, { skip }) => {
        await using namespace = await createTestNamespace();
        skip(onNode && !namespace.testCluster.owned, "SLIPWAY_KUBECONFIG names a cluster whose nodes take no commands");
        await using context = await createContextFolder({ Dockerfile: sleeping(namespace), seconds: "600" });
        await using builder = createBuilder({ driver: buildkitDriver(namespace.driverOptions) });
        const build = observeBuild(builder.build({ context: context.path, tags: [`${namespace.repository}:1`] }));
        const pod = await runningPod(namespace, build);
        await context.write("seconds", "0");
        const lostMs = performance.now();
        await lose(namespace, pod);
        const { attempt, error } = await build.waitFor("build-retry");
        const retryMs = performance.now() - lostMs;
        expect(retryMs).toBeLessThan(10_000);
        expect(attempt).toBe(2);
        expect(error).toMatchObject({ code: "POD_LOST", message: expect.stringMatching(cause) as string });
        const outcome = await build.outcome;
        console.log(
          `${title}: retry after ${Math.round(retryMs)} ms, done after ${Math.round(performance.now() - lostMs)} ms`,
        );
        expect(outcome).toMatchObject({ image: { digest: expect.stringMatching(/^sha256:/) as string } });
        expect(unhandled.reasons).toEqual([]);
      },
    );
  });

  describe.concurrent("although only the connection is cut", () => {
    it("POD-LOST: connection cut: CLUSTER_UNREACHABLE, and the build is tried again", async () => {
      await using namespace = await createTestNamespace();
      const access = await readClusterAccess(namespace.testCluster);
      await using proxy = await startCuttingProxy(access.server.hostname, Number(access.server.port || 443));
      await using file = await writeKubeconfig(access, { server: `https://127.0.0.1:${proxy.port}` });
      await using context = await createContextFolder({ Dockerfile: sleeping(namespace), seconds: "600" });
      const driver = buildkitDriver({ ...namespace.driverOptions, kubeconfig: file.kubeconfig, context: file.context });
      await using builder = createBuilder({ driver });
      const build = observeBuild(builder.build({ context: context.path, tags: [`${namespace.repository}:1`] }));
      await runningPod(namespace, build);
      await context.write("seconds", "0");
      const cutMs = performance.now();
      proxy.cut();
      const { error } = await build.waitFor("build-retry");
      console.log(`connection cut: retry after ${Math.round(performance.now() - cutMs)} ms: ${error.message}`);
      expect(performance.now() - cutMs).toBeLessThan(10_000);
      expect(error).toMatchObject({ code: "CLUSTER_UNREACHABLE" });
      expect(await build.outcome).toMatchObject({ image: { digest: expect.stringMatching(/^sha256:/) as string } });
      expect(unhandled.reasons).toEqual([]);
    });

    it("POD-LOST: API server gone: CLUSTER_UNREACHABLE within 10 s", async () => {
      await using namespace = await createTestNamespace();
      const access = await readClusterAccess(namespace.testCluster);
      await using proxy = await startCuttingProxy(access.server.hostname, Number(access.server.port || 443));
      await using file = await writeKubeconfig(access, { server: `https://127.0.0.1:${proxy.port}` });
      await using context = await createContextFolder({ Dockerfile: sleeping(namespace), seconds: "600" });
      const driver = buildkitDriver({ ...namespace.driverOptions, kubeconfig: file.kubeconfig, context: file.context });
      await using builder = createBuilder({ driver });
      const build = observeBuild(builder.build({ context: context.path, tags: [`${namespace.repository}:1`] }));
      await runningPod(namespace, build);
      const cutMs = performance.now();
      await proxy[Symbol.asyncDispose]();
      const outcome = await build.outcome;
      console.log(`API server gone: ${Math.round(performance.now() - cutMs)} ms: ${(outcome as Error).message}`);
      expect(performance.now() - cutMs).toBeLessThan(10_000);
      expect(outcome).toMatchObject({
        code: "CLUSTER_UNREACHABLE",
        message: expect.stringMatching(/127\.0\.0\.1/) as string,
      });
      expect(unhandled.reasons).toEqual([]);
    });
  });
});

function sleeping({ testCluster }: TestNamespace): string {
  return `FROM ${testCluster.bases.busybox}\nCOPY seconds /seconds\nRUN echo started && sleep $(cat /seconds)\n`;
}

/** The pod of a build, once a step runs in it. */
async function runningPod({ cluster }: TestNamespace, build: ObservedBuild): Promise<Pod> {
  await build.waitFor("step-log", ({ text }) => text.includes("started"));
  const { items } = await cluster.list<Pod>({ apiVersion: "v1", kind: "Pod" });
  const [pod] = items;
  if (pod === undefined || items.length > 1) throw new Error(`${items.length} pods instead of one`);
  return pod;
}

async function evict({ cluster, name: namespace }: TestNamespace, { metadata }: Pod): Promise<void> {
  const pod = metadata?.name ?? "";
  const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: pod, namespace } };
  const action = { verb: "create", resource: "pods/eviction", namespace, name: pod };
  await cluster.request({ method: "POST", path: `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`, body, action });
}

/** Finds the one buildkitd among the node's processes whose control group is the pod's. */
async function killDaemon({ testCluster }: TestNamespace, { metadata, spec }: Pod): Promise<void> {
  const [program = "", ...prefix] = testCluster.nodeCommand(spec?.nodeName ?? "");
  const script = `for group in $(grep -l '${metadata?.uid ?? ""}' /proc/[0-9]*/cgroup 2>/dev/null); do
    process=\${group%/cgroup}
    [ "$(cat "$process/comm")" = buildkitd ] && kill -9 "\${process#/proc/}" && echo "\${process#/proc/}"
  done`;
  const { stdout } = await promisify(execFile)(program, [...prefix, "sh", "-c", script]).catch(
    (error: unknown) => error as { stdout: string },
  );
  if (!/^\d+\n$/.test(stdout)) throw new Error(`Killed ${JSON.stringify(stdout)} instead of one buildkitd.`);
}
