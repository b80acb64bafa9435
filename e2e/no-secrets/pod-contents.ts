import { text } from "node:stream/consumers";

import type { Cluster, Pod } from "@slipway/cluster";

import type { TestNamespace } from "../support/test-namespace.ts";

const printProcesses = String.raw`for p in /proc/[0-9]*; do tr '\0' '\n' < $p/cmdline; tr '\0' '\n' < $p/environ; done 2>/dev/null`;

/** What builds, by the name of its container: BuildKit's daemon, or kaniko's executor. */
export type BuildingContainer = "buildkitd" | "executor";

/** The label of the pods with such a container. */
const labelOf: Readonly<Record<BuildingContainer, string>> = {
  buildkitd: "slipway.dev/builder",
  executor: "slipway.dev/build-id",
};

/** What the processes of what builds have as arguments and environment. */
export async function readProcesses(namespace: TestNamespace, container: BuildingContainer): Promise<string> {
  const pods = await buildingPods(namespace, container);
  const outputs = await Promise.all(pods.map((pod) => runIn(namespace, { pod, container }, printProcesses)));
  return outputs.join("\n");
}

/** Ends the processes of what builds that have exactly these arguments. */
export async function endProcesses(
  namespace: TestNamespace,
  container: BuildingContainer,
  args: string,
): Promise<void> {
  for (const pod of await buildingPods(namespace, container)) {
    const processes = await runIn(namespace, { pod, container }, "ps -o pid,args");
    const ids = processes.split("\n").flatMap((line) => new RegExp(`^\\s*(\\d+) ${args}$`).exec(line)?.[1] ?? []);
    if (ids.length > 0) await runIn(namespace, { pod, container }, `kill ${ids.join(" ")}`);
  }
}

/** The logs of all containers in a namespace, by `pod/container`. */
export async function readLogs({ cluster, name: namespace }: TestNamespace): Promise<ReadonlyMap<string, string>> {
  const { items } = await listPods(cluster);
  const logs = items.flatMap(({ metadata, spec }) =>
    (spec?.containers ?? []).map(async ({ name: container }) => {
      const pod = metadata?.name ?? "";
      return [`${pod}/${container}`, await cluster.readLog({ namespace, pod, container })] as const;
    }),
  );
  return new Map(await Promise.all(logs));
}

/** Runs a shell script in a container and returns what it prints. That of the executor has a shell as soon as it has unpacked a base image. */
export async function runIn(
  { cluster, name: namespace }: TestNamespace,
  container: { readonly pod: string; readonly container: BuildingContainer },
  script: string,
): Promise<string> {
  const command = ["/bin/sh", "-c", `PATH=$PATH:/bin:/usr/bin; ${script}`];
  await using stream = await cluster.exec({ namespace, ...container, command, stdin: false });
  const output = await text(stream.stdio);
  const { exitCode, message } = await stream.status;
  if (exitCode === undefined) throw new Error(`${container.pod} does not run ${script}: ${message}`);
  return output;
}

/** The pods that build and run. */
export async function buildingPods(
  { cluster }: TestNamespace,
  container: BuildingContainer,
): Promise<readonly string[]> {
  const { items } = await listPods(cluster, labelOf[container]);
  return items.filter(({ status }) => status?.phase === "Running").map(({ metadata }) => metadata?.name ?? "");
}

function listPods(cluster: Cluster, labelSelector?: string) {
  return cluster.list<Pod>({ apiVersion: "v1", kind: "Pod" }, { labelSelector });
}
