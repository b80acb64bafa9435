import { text } from "node:stream/consumers";

import type { Pod } from "@slipway/cluster";

import type { KanikoNamespace } from "./kaniko-namespace.ts";

/** What a shell in the workspace prints. */
export async function inWorkspace({ namespace }: KanikoNamespace, script: string, name: string): Promise<string> {
  const { cluster } = namespace;
  const labelSelector = `slipway.dev/workspace=${name}`;
  const { items } = await cluster.list<Pod>({ apiVersion: "v1", kind: "Pod" }, { labelSelector });
  const pod = items.find(({ status }) => status?.phase === "Running")?.metadata?.name ?? "";
  const command = ["sh", "-c", `cd /workspace && ${script}`];
  const stream = await cluster.exec({ namespace: namespace.name, pod, command, stdin: false });
  return text(stream.stdio);
}
