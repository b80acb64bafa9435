import { text } from "node:stream/consumers";

import type { Pod } from "@slipway/cluster";

import type { TestNamespace } from "./test-namespace.ts";

/** The command lines of all processes in the builder's pod. */
export async function podProcesses({ cluster, name: namespace }: TestNamespace): Promise<string> {
  const pods = await cluster.list<Pod>({ apiVersion: "v1", kind: "Pod", namespace });
  const pod = pods.items[0]?.metadata?.name ?? "";
  await using stream = await cluster.exec({ namespace, pod, command: ["ps", "-o", "args"], stdin: false });
  return await text(stream.stdio);
}
