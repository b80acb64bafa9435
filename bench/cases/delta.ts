import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { promisify } from "node:util";

import { ensureCluster } from "../../dev-cluster/src/index.ts";
import type { BenchCase } from "../bench-case.ts";
import { createContextFolder } from "../context-folder.ts";
import { measure } from "../measure.ts";

const run = promisify(execFile);
const files = 20_000;
const fileBytes = 10_000;
/** Of what the peer sends, which random bytes do not make less. A run that sends more fails, and counts as none. */
const mostBytes = 0.02 * files * fileBytes;

/** The inner loop of development with a workspace: one file changed. */
export const delta: BenchCase = {
  name: "delta",
  description: `bring a context to a pod, one of ${files} files of ${fileBytes} bytes changed`,
  peer: "tar, gzip -1 and kubectl exec",
  goal: 0.1,
  rounds: 5,
  prepare: async () => {
    await using stack = new AsyncDisposableStack();
    const cluster = await ensureCluster({ onProgress: (line) => console.error(line) });
    const [kubectl = "", ...prefix] = cluster.kubectl;
    const namespace = `slipway-bench-${randomBytes(3).toString("hex")}`;
    const inNamespace = [...prefix, "-n", namespace];
    await run(kubectl, [...prefix, "create", "namespace", namespace]);
    stack.defer(async () => {
      await run(kubectl, [...prefix, "delete", "namespace", namespace, "--wait=false"]);
    });
    const { busybox: image } = cluster.images;
    const pod = ["run", "peer", "--image", image, "--image-pull-policy", "IfNotPresent", "--", "sleep", "86400"];
    await run(kubectl, [...inNamespace, ...pod]);
    await run(kubectl, [...inNamespace, "wait", "--for=condition=Ready", "pod/peer", "--timeout=60s"]);
    const context = stack.use(await createContextFolder("scratch", files, fileBytes));
    const { kubeconfigPath: kubeconfig, context: clusterContext } = cluster;
    const order = { kubeconfig, context: clusterContext, namespace, image, folder: context.path };
    const ours = (most: number) => ({
      argv: [process.execPath, resolve(import.meta.dirname, "../programs/slipway-sync.mjs")],
      env: { SLIPWAY_BENCH: JSON.stringify({ ...order, mostBytes: most }) },
    });
    await measure(ours(2 * files * fileBytes));
    const unpack = ["exec", "-i", "peer", "--", "sh", "-c", "mkdir -p /context && tar -xzf - -C /context"];
    const send = 'folder=$0; tar -C "$folder" -cf - . | gzip -1 | "$@"';
    const owned = stack.move();
    return {
      ours: ours(mostBytes),
      peer: { argv: ["sh", "-c", send, context.path, kubectl, ...inNamespace, ...unpack] },
      before: async (side) => {
        if (side === "ours") await context.change();
        else await run(kubectl, [...inNamespace, "exec", "peer", "--", "rm", "-rf", "/context"]);
      },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  },
};
