import { isConnectionLost } from "@slipway/buildkit-client";
import { podError, podEvents, type Cluster, type Pod } from "@slipway/cluster";
import { BuilderError, type DriverCall } from "@slipway/core";

import { memoryLimit } from "./builder-state.ts";
import { isKilledSince, oomKills, type OomKills } from "./oom-kills.ts";
import { podLoss } from "./pod-loss.ts";

/** What is known about a build that failed, besides the error. */
export interface FailedBuild {
  readonly cluster: Cluster;
  readonly pod: Pod;
  /** When a step began, on the clock of `performance.now()`. */
  readonly stepStartedMs: (name: string) => number;
  readonly killsBefore: OomKills | undefined;
}

/** The start of a step is heard of a little after it. */
const startSlackMs = 1000;

/** The kubelet needs a moment to write down why a container died. */
const diagnosisTimeoutMs = 5000;
const diagnosisIntervalMs = 250;

/** Finds the reason behind a failed build: a step that was killed for its memory, a pod that is gone. */
export async function explainFailure(
  error: unknown,
  build: FailedBuild,
  call: Pick<DriverCall, "signal">,
): Promise<unknown> {
  if (call.signal.aborted) return error;
  if (isConnectionLost(error)) return explainLoss(error, build, call);
  if (!BuilderError.isInstance(error) || error.code !== "BUILD_FAILED") return error;
  return error.details.exitCode === undefined ? error : ((await outOfMemory(error, build, call)) ?? error);
}

/** A compiler that is killed makes `make` end with 2 and a step killed as a whole ends with 137: the exit code does not tell. */
async function outOfMemory(
  error: BuilderError<"BUILD_FAILED">,
  build: FailedBuild,
  call: Pick<DriverCall, "signal">,
): Promise<BuilderError | undefined> {
  const { cluster, pod, killsBefore } = build;
  const limit = memoryLimit(pod);
  const kills = await oomKills(cluster, pod, call);
  const durationMs = performance.now() - build.stepStartedMs(error.details.step ?? "") + startSlackMs;
  if (limit === undefined || !isKilledSince(killsBefore, kills, durationMs)) return undefined;
  const { name = "", namespace = cluster.namespace } = pod.metadata ?? {};
  return new BuilderError({
    code: "OUT_OF_MEMORY",
    message: `A process of a step was killed because pod ${namespace}/${name} reached its memory limit of ${limit}: ${error.message} Raise resources.limits.memory, or let the step use less.`,
    details: { namespace, pod: name, events: [], limit },
    cause: error,
  });
}

/** The connection ends a little before the cluster knows why. */
async function explainLoss(error: Error, build: FailedBuild, call: Pick<DriverCall, "signal">): Promise<unknown> {
  const { cluster, pod: start } = build;
  const { name = "", namespace = cluster.namespace, uid } = start.metadata ?? {};
  const deadlineMs = performance.now() + diagnosisTimeoutMs;
  while (!call.signal.aborted) {
    const pod = await cluster.get<Pod>({ apiVersion: "v1", kind: "Pod", namespace, name }, call);
    const events = await podEvents(cluster, { namespace, name, uid }, call);
    const diagnosis = podLoss(start, pod, events);
    if (diagnosis !== undefined) return podError(diagnosis, error);
    if (performance.now() >= deadlineMs) break;
    await new Promise((resolve) => setTimeout(resolve, diagnosisIntervalMs));
  }
  if (BuilderError.isInstance(error.cause)) return error.cause;
  return new BuilderError({
    code: "POD_LOST",
    message: `The connection to buildkitd in pod ${namespace}/${name} was lost: ${error.message}. Build again.`,
    details: { namespace, pod: name, events: [] },
    cause: error,
  });
}
