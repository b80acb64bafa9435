import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

import { ensureCluster, ensureKanikoImage, type TestCluster } from "../../dev-cluster/src/index.ts";
import type { BenchCase } from "../bench-case.ts";
import { createContextFolder } from "../context-folder.ts";
import { measure, type Command } from "../measure.ts";

const files = 20_000;
const fileBytes = 10_000;
const pullSecret = "registry";
const log = (line: string): void => console.error(line);

/** The inner loop of development with a workspace: one file changed, and a build that has all that a build has to do before its pod begins. */
export const delta: BenchCase = {
  name: "delta",
  description: `build() to the context being in the cluster, one of ${files} files of ${fileBytes} bytes changed`,
  peer: "tar, gzip -1 and kubectl exec",
  goal: 0.1,
  sentGoal: 0.02,
  rounds: 5,
  prepare: async () => {
    await using stack = new AsyncDisposableStack();
    const cluster = await ensureCluster({ onProgress: log });
    const namespace = `slipway-bench-${randomBytes(3).toString("hex")}`;
    const kubectl = kubectlOf(cluster, namespace);
    await run(kubectl("create", "namespace", namespace));
    stack.defer(async () => {
      await run(kubectl("delete", "namespace", namespace, "--wait=false"));
    });
    const { clusterHost } = cluster.registry;
    const account = ["--docker-server", clusterHost, "--docker-username", "bench", "--docker-password", "bench"];
    await run(kubectl("create", "secret", "docker-registry", pullSecret, ...account));
    const image = ["--image", cluster.images.busybox, "--image-pull-policy", "IfNotPresent"];
    await run(kubectl("run", "peer", ...image, "--", "sleep", "86400"));
    await run(kubectl("wait", "--for=condition=Ready", "pod/peer", "--timeout=60s"));

    const context = stack.use(await createContextFolder(cluster.bases.busybox, files, fileBytes));
    const compileCache = await mkdtemp(join(tmpdir(), "slipway-bench-"));
    stack.defer(() => rm(compileCache, { recursive: true, force: true }));
    const ours = await buildOf(cluster, { namespace, context: context.path, compileCache });
    // The workspace begins, and gets all of it.
    await measure(ours);
    const pack = 'tar -C "$0" -cf - . | gzip -1';
    const { stdout } = await promisify(execFile)("sh", ["-c", `${pack} | wc -c`, context.path]);
    const unpack = kubectl("exec", "-i", "peer", "--", "sh", "-c", "mkdir -p /context && tar -xzf - -C /context");
    const owned = stack.move();
    return {
      ours,
      peer: { argv: ["sh", "-c", `${pack} | "$@"`, context.path, ...unpack] },
      peerSentBytes: Number(stdout),
      before: async (side) => {
        if (side === "ours") await context.change();
        else await run(kubectl("exec", "peer", "--", "rm", "-rf", "/context"));
        const left = await run(kubectl("get", "jobs,pods,secrets", "-o", "name", "-l", "slipway.dev/build-id"));
        if (left !== "") throw new Error(`A build that was cancelled has left something:\n${left}`);
      },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  },
};

function kubectlOf({ kubectl }: TestCluster, namespace: string): (...argv: readonly string[]) => readonly string[] {
  return (...argv) => [...kubectl, "-n", namespace, ...argv];
}

async function run([file = "", ...argv]: readonly string[]): Promise<string> {
  return (await promisify(execFile)(file, argv)).stdout;
}

/** Where a build is made, and of what. */
interface BenchBuild {
  readonly namespace: string;
  readonly context: string;
  readonly compileCache: string;
}

async function buildOf(cluster: TestCluster, { namespace, context, compileCache }: BenchBuild): Promise<Command> {
  const { kubeconfigPath: kubeconfig, context: clusterContext, images, registry } = cluster;
  const driver = {
    ...{ kubeconfig, context: clusterContext, namespace, pullSecret },
    image: await ensureKanikoImage(cluster, log),
    executor: { flavour: "google", version: "v1.24.0" },
    images: { helper: images.busybox },
    registries: { [registry.clusterHost]: { http: true } },
    workspace: { size: "1Gi" },
  };
  const build = { context, tags: [`${registry.clusterHost}/bench/${namespace}:1`] };
  return {
    argv: [process.execPath, resolve(import.meta.dirname, "../programs/slipway-sync.mjs")],
    // As a command-line tool does with `module.enableCompileCache()`: the peer is compiled as well.
    env: { SLIPWAY_BENCH: JSON.stringify({ driver, build }), NODE_COMPILE_CACHE: compileCache },
    stopsAt: "sent ",
  };
}
