import { text } from "node:stream/consumers";

import type { Cluster, Pod } from "@slipway/cluster";

import { memoryLimit } from "./builder-state.ts";
import { containerId } from "./pod-loss.ts";
import { buildkitContainer } from "./workload.ts";

/** What the kernel tells of processes that it killed for their memory, in one container. */
export interface OomKills {
  /** How many it has counted. Absent where no counter can be read. */
  readonly counted?: number;
  /** The kills that its log names, each by its time stamp. The clock of that log drifts: stamps tell kills apart, not when they were. */
  readonly logged: readonly string[];
}

/**
 * cgroup v2 counts the kills in a container and in all groups below it. v1 counts them in the innermost group alone, which BuildKit deletes
 * with its step: there only the kernel's log tells, which a privileged pod may read.
 */
const script = [
  `group=$(sed -n 's/^0:://p' /proc/self/cgroup)`,
  `for file in "/sys/fs/cgroup\${group%/init}/memory.events" /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control`,
  `do [ -f "$file" ] && sed -n 's/^oom_kill /counted /p' "$file" && break; done`,
  `dmesg 2>/dev/null | grep -e oom-kill: -e 'Task in /' | tail -n 100`,
].join("\n");

/**
 * Reads what the kernel killed in a builder's container. A step that is killed for its memory ends like any that is killed, with exit code
 * 137; this tells the two apart.
 *
 * @returns undefined without a limit, or where nothing can be read
 */
export async function oomKills(
  cluster: Cluster,
  pod: Pod,
  call: { readonly signal: AbortSignal },
): Promise<OomKills | undefined> {
  if (memoryLimit(pod) === undefined) return undefined;
  const { name = "", namespace = cluster.namespace } = pod.metadata ?? {};
  const target = { namespace, pod: name, container: buildkitContainer, command: ["sh", "-c", script], stdin: false };
  try {
    await using stream = await cluster.exec(target, call);
    return parseOomKills(await text(stream.stdio), containerId(pod)?.replace(/^.*:\/\//, "") ?? "");
  } catch {
    // An image without a shell, or a pod that is going: then a killed step stays what its exit code says.
    return undefined;
  }
}

/** Whether something was killed between two readings. */
export function isKilledSince(before: OomKills | undefined, now: OomKills | undefined): boolean {
  if (before === undefined || now === undefined) return false;
  if (now.logged.some((stamp) => !before.logged.includes(stamp))) return true;
  return now.counted !== undefined && before.counted !== undefined && now.counted > before.counted;
}

/** Reads the script's output: the counter, and the lines of the kernel's log about kills. */
export function parseOomKills(output: string, container: string): OomKills {
  const counted = /^counted (\d+)$/m.exec(output)?.[1];
  const lines = container === "" ? [] : output.split("\n").filter((line) => killedGroup(line)?.includes(container));
  const logged = lines.flatMap((line) => /^\[ *([\d.]+)\]/.exec(line)?.[1] ?? []);
  return { logged, ...(counted === undefined ? {} : { counted: Number(counted) }) };
}

/** The group of the killed process; kernels before 5.0 say it in a sentence. */
function killedGroup(line: string): string | undefined {
  return /oom-kill:.*task_memcg=([^,]*)/.exec(line)?.[1] ?? /Task in (\S+) killed/.exec(line)?.[1];
}
