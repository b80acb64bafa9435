import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

import { ensureCluster } from "../../dev-cluster/src/index.ts";
import type { BenchCase } from "../bench-case.ts";

const run = promisify(execFile);
const sizeBytes = 1024 ** 3;

/** 1 GiB from a file to stdin of a command in a pod; the file is sparse, so that no disk is measured. */
export const exec: BenchCase = {
  name: "exec",
  description: "1 GiB to stdin of a command in a pod",
  peer: "kubectl exec -i",
  goal: 0.95,
  rounds: 5,
  prepare: async () => {
    const cluster = await ensureCluster({ onProgress: (line) => console.error(line) });
    const [kubectl = "", ...prefix] = cluster.kubectl;
    const namespace = `slipway-bench-${randomBytes(3).toString("hex")}`;
    const folder = await mkdtemp(join(tmpdir(), "slipway-bench-"));
    const file = join(folder, "data");
    await writeFile(file, "");
    await truncate(file, sizeBytes);
    const image = ["--image", cluster.images.busybox, "--image-pull-policy", "IfNotPresent"];
    await run(kubectl, [...prefix, "create", "namespace", namespace]);
    await run(kubectl, [...prefix, "-n", namespace, "run", "consumer", ...image, "--", "sleep", "86400"]);
    await run(kubectl, [...prefix, "-n", namespace, "wait", "--for=condition=Ready", "pod/consumer", "--timeout=60s"]);
    // A run whose bytes did not all arrive fails, and counts as none.
    const command = ["sh", "-c", `[ $(wc -c) = ${sizeBytes} ]`];
    const { kubeconfigPath: kubeconfig, context } = cluster;
    const order = { kubeconfig, context, namespace, pod: "consumer", command, file };
    const peer = [...prefix, "-n", namespace, "exec", "-i", "consumer", "--", ...command];
    return {
      ours: {
        argv: [process.execPath, resolve(import.meta.dirname, "../programs/slipway-exec.mjs")],
        env: { SLIPWAY_BENCH: JSON.stringify(order) },
      },
      peer: { argv: ["sh", "-c", 'exec "$@" <"$DATA"', "sh", kubectl, ...peer], env: { DATA: file } },
      [Symbol.asyncDispose]: async () => {
        await run(kubectl, [...prefix, "delete", "namespace", namespace, "--wait=false"]);
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
};
