import { text } from "node:stream/consumers";

import type { Cluster, Pod } from "@slipway/cluster";

import { memoryLimit } from "./builder-state.ts";
import { buildkitContainer } from "./workload.ts";

/**
 * cgroup v2 counts the processes that were killed below a limit. v1 counts a kill only in the innermost group, which BuildKit deletes
 * with the step; what is left there is how often the limit itself was hit.
 */
const script =
  "sed -n 's/^oom_kill //p' /sys/fs/cgroup/memory.events 2>/dev/null || cat /sys/fs/cgroup/memory/memory.failcnt";

/**
 * How often the memory limit of a builder's pod has cost something so far. A step that is killed for its memory ends like any that is
 * killed, with exit code 137; that this number has grown tells the two apart.
 *
 * @returns undefined without a limit, or where it cannot be read
 */
export async function oomKills(
  cluster: Cluster,
  pod: Pod,
  call: { readonly signal: AbortSignal },
): Promise<number | undefined> {
  if (memoryLimit(pod) === undefined) return undefined;
  const { name = "", namespace = cluster.namespace } = pod.metadata ?? {};
  const target = { namespace, pod: name, container: buildkitContainer, command: ["sh", "-c", script], stdin: false };
  try {
    await using stream = await cluster.exec(target, call);
    return parseCount(await text(stream.stdio));
  } catch {
    // An image without a shell, or a pod that is going: then a killed step stays what its exit code says.
    return undefined;
  }
}

/** The number that the script prints. */
export function parseCount(output: string): number | undefined {
  return /^\d+\s*$/.test(output) ? Number(output) : undefined;
}
