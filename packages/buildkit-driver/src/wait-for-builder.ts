import type { Cluster, Deployment, Pod } from "@slipway/cluster";
import type { DriverCall } from "@slipway/core";

import type { ResolvedBuildkitDriverOptions } from "./buildkit-options.ts";
import { readyPods, wantedPods } from "./builder-state.ts";
import { startProblem } from "./start-problem.ts";
import { PodPhases } from "./pod-phases.ts";
import { builderSelector } from "./workload.ts";

const checkIntervalMs = 1000;

/**
 * Waits until a pod of the wanted configuration is ready.
 *
 * @throws BuilderError with the reason as soon as waiting longer is useless, at the latest after `startTimeoutMs`
 */
export async function waitForBuilder(
  cluster: Cluster,
  namespace: string,
  wanted: Deployment,
  options: ResolvedBuildkitDriverOptions,
  call: Pick<DriverCall, "signal" | "emit">,
): Promise<readonly Pod[]> {
  const startedMs = performance.now();
  const phases = new PodPhases(call.emit);
  const hopeless = new AbortController();
  let pods: readonly Pod[] = [];
  let checking = false;
  const check = async (): Promise<void> => {
    if (checking) return;
    checking = true;
    try {
      const waitedMs = performance.now() - startedMs;
      const problem = await startProblem(cluster, namespace, pods, { ...options, waitedMs }, call);
      if (problem !== undefined) hopeless.abort(problem);
    } catch {
      // Whatever keeps the question from being answered fails the watch as well, or has passed at the next look.
    } finally {
      checking = false;
    }
  };
  // What only time can tell, such as a pod that stays without a node, no watch event announces.
  const timer = setInterval(() => void check(), checkIntervalMs);
  try {
    const resource = { apiVersion: "v1", kind: "Pod", namespace };
    return await cluster.waitFor<Pod, readonly Pod[]>(resource, {
      labelSelector: builderSelector(options.name),
      signal: AbortSignal.any([call.signal, hopeless.signal]),
      until: (all) => {
        pods = wantedPods(all, wanted);
        for (const pod of pods) phases.report(pod);
        const ready = readyPods(pods, wanted);
        return ready.length > 0 ? ready : undefined;
      },
    });
  } finally {
    clearInterval(timer);
  }
}
