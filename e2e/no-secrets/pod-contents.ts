import { text } from "node:stream/consumers";

import type { Cluster, Pod } from "@slipway/cluster";

import type { TestNamespace } from "../support/test-namespace.ts";

const printProcesses = String.raw`for p in /proc/[0-9]*; do tr '\0' '\n' < $p/cmdline; tr '\0' '\n' < $p/environ; done 2>/dev/null`;

/** What the processes of the builders' pods have as arguments and environment. */
export async function readProcesses(namespace: TestNamespace): Promise<string> {
  const pods = await builderPods(namespace);
  const outputs = await Promise.all(pods.map((pod) => runInBuilder(namespace, pod, ["sh", "-c", printProcesses])));
  return outputs.join("\n");
}

/** Ends the processes of the builders' pods that have exactly these arguments. */
export async function endProcesses(namespace: TestNamespace, args: string): Promise<void> {
  for (const pod of await builderPods(namespace)) {
    const processes = await runInBuilder(namespace, pod, ["ps", "-o", "pid,args"]);
    const ids = processes.split("\n").flatMap((line) => new RegExp(`^\\s*(\\d+) ${args}$`).exec(line)?.[1] ?? []);
    if (ids.length > 0) await runInBuilder(namespace, pod, ["kill", ...ids]);
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

/** Starts a process in a builder's pod. */
export async function runInBuilder(
  { cluster, name: namespace }: TestNamespace,
  pod: string,
  command: readonly string[],
): Promise<string> {
  await using stream = await cluster.exec({ namespace, pod, container: "buildkitd", command, stdin: false });
  return await text(stream.stdio);
}

/** The pods of builders that run. */
export async function builderPods({ cluster }: TestNamespace): Promise<readonly string[]> {
  const { items } = await listPods(cluster, "slipway.dev/builder");
  return items.filter(({ status }) => status?.phase === "Running").map(({ metadata }) => metadata?.name ?? "");
}

function listPods(cluster: Cluster, labelSelector?: string) {
  return cluster.list<Pod>({ apiVersion: "v1", kind: "Pod" }, { labelSelector });
}
