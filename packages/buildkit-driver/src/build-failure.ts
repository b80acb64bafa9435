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
  /** What had been killed when it began. */
  readonly killsBefore: OomKills | undefined;
}

/** Exit code of a process that was killed with SIGKILL. */
const killedExitCode = 137;
/** Holds for the error of the step, which is the cause of the one that says more. */
const logTailHint = / What it printed last is in details\.logTail\.$/;
/** What shells, make and compilers say when a program below them was killed, and then end with a code of their own. */
const killedBelow = /\bkilled\b|\b137\b|SIGKILL|signal:? 9\b/i;

/** The kubelet needs a moment to write down why a container died. */
const diagnosisTimeoutMs = 5000;
const diagnosisIntervalMs = 250;

/** Finds the reason behind a failed build: a step that was killed for its memory, a pod that is gone. */
export async function explainFailure(
  error: unknown,
  build: FailedBuild,
  call: Pick<DriverCall, "signal">,
): Promise<unknown> {
  if (call.signal.aborted) return call.signal.reason;
  if (isConnectionLost(error)) return explainLoss(error, build, call);
  if (!BuilderError.isInstance(error) || error.code !== "BUILD_FAILED") return error;
  return (await outOfMemory(error, build, call)) ?? error;
}

async function outOfMemory(
  error: BuilderError<"BUILD_FAILED">,
  build: FailedBuild,
  call: Pick<DriverCall, "signal">,
): Promise<BuilderError | undefined> {
  const { exitCode, logTail } = error.details;
  if (exitCode !== killedExitCode && !(exitCode !== undefined && killedBelow.test(logTail))) return undefined;
  const { cluster, pod, killsBefore } = build;
  const limit = memoryLimit(pod);
  const kills = await oomKills(cluster, pod, call);
  if (limit === undefined || !isKilledSince(killsBefore, kills)) return undefined;
  const { name = "", namespace = cluster.namespace } = pod.metadata ?? {};
  return new BuilderError({
    code: "OUT_OF_MEMORY",
    message: `A process of a step was killed because pod ${namespace}/${name} reached its memory limit of ${limit}: ${error.message.replace(logTailHint, "")} Raise resources.limits.memory, or let the step use less.`,
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
  // Whoever watches the pod was faster.
  if (call.signal.aborted) return call.signal.reason;
  if (BuilderError.isInstance(error.cause)) return error.cause;
  return new BuilderError({
    code: "POD_LOST",
    message: `The connection to buildkitd in pod ${namespace}/${name} was lost: ${error.message}. Build again.`,
    details: { namespace, pod: name, events: [] },
    cause: error,
  });
}
