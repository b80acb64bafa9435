import {
  podError,
  podOfJob,
  podsOfJob,
  diagnosePod,
  podEvents,
  type Cluster,
  type Job,
  type Pod,
} from "@slipway/cluster";
import { BuilderError, type DriverCall } from "@slipway/core";

import { executorContainer, type BuildFiles } from "./build-pod.ts";
import { buildSecret } from "./build-secret.ts";

const pods = { apiVersion: "v1", kind: "Pod" } as const;

/** What a call may be ended by. */
interface Call {
  readonly signal: AbortSignal;
}

/** Makes the Job, then the Secret that it owns. A pod that is faster waits on its node until the Secret is there. */
export async function createBuild(
  cluster: Pick<Cluster, "create">,
  job: Job,
  files: BuildFiles,
  call: Call,
): Promise<void> {
  const created = await cluster.create(job, call);
  const secret = buildSecret(created, files);
  if (secret !== undefined) await cluster.create(secret, call);
}

const cleanupTimeoutMs = 20_000;

/** What deletes objects. */
export type RemovingCluster = Pick<Cluster, "namespace" | "delete" | "list" | "waitFor">;

/** As {@link removeBuild}; what is left is a warning, since how the build has ended says more. */
export async function removeOrTell(
  cluster: RemovingCluster,
  name: string,
  { emit }: Pick<DriverCall, "emit">,
): Promise<void> {
  try {
    await removeBuild(cluster, name);
  } catch (error) {
    const { code, message } = BuilderError.from(error);
    const left = `What this build has made, Job ${cluster.namespace}/${name}, could not be removed (${code}: ${message})`;
    emit({ type: "warning", message: `${left} The cluster removes it, at its deadline at the latest.` });
  }
}

/**
 * Deletes what a build has made, each by its name, and waits until nothing of it runs. Has a time of its own: the call's signal may have fired.
 */
export async function removeBuild(cluster: RemovingCluster, name: string): Promise<void> {
  const signal = AbortSignal.timeout(cleanupTimeoutMs);
  const { namespace } = cluster;
  await Promise.all([
    cluster.delete(
      { apiVersion: "batch/v1", kind: "Job", namespace, name },
      { signal, propagationPolicy: "Background" },
    ),
    cluster.delete({ apiVersion: "v1", kind: "Secret", namespace, name }, { signal }),
  ]);
  const labelSelector = podsOfJob(name);
  const { items } = await cluster.list<Pod>({ ...pods, namespace }, { labelSelector, signal });
  await Promise.all(
    items.map((pod) =>
      cluster.delete({ ...pods, namespace, name: pod.metadata?.name ?? "" }, { signal, gracePeriodSeconds: 1 }),
    ),
  );
  if (items.every(hasEnded)) return;
  await cluster.waitFor<Pod, true>(
    { ...pods, namespace },
    { labelSelector, signal, until: (left) => (left.length === 0 ? true : undefined) },
  );
}

function hasEnded(pod: Pod): boolean {
  return executorState(pod)?.terminated !== undefined;
}

/** Waits for the pod that the cluster makes of a build's Job. @throws BuilderError FORBIDDEN if it is not let in */
export function podOfBuild(cluster: Cluster, name: string, timeoutMs: number, { signal }: Call): Promise<Pod> {
  const advice =
    "Kaniko needs the Pod Security level baseline; see podTemplate and resources for what else a policy may want.";
  return podOfJob(cluster, { namespace: cluster.namespace, name, timeoutMs, advice, signal });
}

/** How the executor of a pod has ended, or that it runs; undefined while it does neither. */
export function executorState(pod: Pod) {
  return pod.status?.containerStatuses?.find(({ name }) => name === executorContainer)?.state;
}

/** The error of a pod that was evicted, deleted or lost, rather than one whose executor has ended by itself. */
export async function disruptionOf(cluster: Cluster, pod: Pod, { signal }: Call): Promise<BuilderError | undefined> {
  const { name = "", namespace = "", uid, deletionTimestamp } = pod.metadata ?? {};
  const isDisrupted =
    deletionTimestamp !== undefined ||
    pod.status?.reason !== undefined ||
    pod.status?.conditions?.some(({ type, status }) => type === "DisruptionTarget" && status === "True") === true;
  if (!isDisrupted) return undefined;
  const events = await podEvents(cluster, { namespace, name, uid }, { signal });
  const diagnosis = diagnosePod(pod, events, { namespace, name });
  return diagnosis === undefined ? undefined : podError(diagnosis);
}
