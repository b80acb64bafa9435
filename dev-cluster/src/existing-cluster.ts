import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { cacheFolder } from "./cluster-paths.ts";
import { ClusterFailure } from "./failure.ts";
import type { Progress } from "./progress.ts";
import { registryAddress, registryManifests } from "./registry-manifests.ts";
import { runCommand } from "./run-command.ts";
import type { TestCluster } from "./test-cluster.ts";

/** Public images, for clusters that this project did not start. */
export const publicImages = {
  pause: "registry.k8s.io/pause:3.10",
  busybox: "docker.io/library/busybox:1.37-glibc",
  registry: "docker.io/library/registry:3",
  buildkit: "docker.io/moby/buildkit:v0.32.2",
  buildkitRootless: "docker.io/moby/buildkit:v0.32.2-rootless",
  cBase: "docker.io/library/gcc:14",
} as const;

/** The name of the embedded cluster that a kubeconfig belongs to, if it is one of ours. */
export function embeddedClusterName(kubeconfig: string, cache: string = cacheFolder()): string | undefined {
  const root = dirname(kubeconfig);
  return basename(kubeconfig) === "kubeconfig" && dirname(root) === join(cache, "clusters")
    ? basename(root)
    : undefined;
}

/** Whether `SLIPWAY_KUBECONFIG` names a cluster that this project did not start. */
export function wantsExistingCluster(env: NodeJS.ProcessEnv = process.env): boolean {
  const file = env["SLIPWAY_KUBECONFIG"];
  return file !== undefined && file !== "" && embeddedClusterName(file) === undefined;
}

/** Uses the cluster of `SLIPWAY_KUBECONFIG`: only the registry is applied to it. */
export async function existingCluster(progress: Progress, env: NodeJS.ProcessEnv = process.env): Promise<TestCluster> {
  const kubeconfigPath = realKubeconfig(env["SLIPWAY_KUBECONFIG"] ?? "");
  const base = ["kubectl", "--kubeconfig", kubeconfigPath];
  const context = env["SLIPWAY_CONTEXT"] ?? (await runCommand([...base, "config", "current-context"])).trim();
  const kubectl = [...base, "--context", context];
  await progress.step(`start the registry in ${context}`, () => applyRegistry(kubectl));
  const nodes = (await runCommand([...kubectl, "get", "nodes", "-o", "jsonpath={.items[*].metadata.name}"]))
    .trim()
    .split(" ");
  return {
    name: context,
    owned: false,
    kubeconfigPath,
    context,
    kubectl,
    nodes,
    registry: registryAddress,
    images: publicImages,
    bases: { busybox: publicImages.busybox, cBase: publicImages.cBase },
    nodeCommand() {
      throw new Error("Commands run inside nodes only in the embedded cluster; unset SLIPWAY_KUBECONFIG to use it.");
    },
  };
}

function realKubeconfig(file: string): string {
  try {
    return realpathSync(file);
  } catch (cause) {
    throw new ClusterFailure(`SLIPWAY_KUBECONFIG names ${file}, which cannot be read.`, {
      remedy: "Correct it, or unset it.",
      cause,
    });
  }
}

async function applyRegistry(kubectl: readonly string[]): Promise<void> {
  const items = registryManifests(publicImages.registry, undefined).map(({ object }) => object);
  const remedy =
    "Check that `kubectl` is installed and that the cluster answers it. Or unset SLIPWAY_KUBECONFIG to use the embedded cluster.";
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  await runCommand(
    [...kubectl, "apply", "--server-side", "--force-conflicts", "--field-manager=dev-cluster", "-f", "-"],
    { input: list, remedy },
  );
  await runCommand(
    [...kubectl, "-n", registryAddress.namespace, "rollout", "status", "deployment/registry", "--timeout=180s"],
    { remedy },
  );
}
