import type { Cluster, Job } from "@slipway/cluster";
import { unusedMsOf } from "@slipway/context-sync";
import type { DriverCall, PruneOptions, PruneResult } from "@slipway/core";

import { removeBuild } from "./build-objects.ts";
import { buildIdLabel, driverLabel, expiresAtLabel } from "./build-pod.ts";

/** Whoever has not been heard of for so long does not use a workspace: enough for a sync that is about to begin. */
const notInUseMs = 180_000;

/**
 * Removes what builds of dead processes have left behind and the cluster has not removed, only what has expired, and workspaces that nobody has used for
 * `unusedForMs`; each by its name. What a workspace keeps cannot be removed in part, so `keepBytes` alone leaves workspaces as they are.
 */
export async function removeLeftovers(
  cluster: Cluster,
  { keepBytes, unusedForMs = keepBytes === undefined ? notInUseMs : undefined }: PruneOptions,
  { signal }: Pick<DriverCall, "signal">,
): Promise<PruneResult> {
  const labelSelector = Object.entries(driverLabel)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const jobs = await cluster.list<Job>({ apiVersion: "batch/v1", kind: "Job" }, { labelSelector, signal });
  const isUnused = async (job: Job): Promise<boolean> =>
    unusedForMs !== undefined && ((await unusedMsOf(cluster, job, { signal })) ?? -1) >= unusedForMs;
  const objects = await Promise.all(
    jobs.items.map(async (job) => {
      if (!hasExpired(job) && !(await isUnused(job))) return [];
      const { name = "", labels } = job.metadata ?? {};
      await (labels?.[buildIdLabel] === undefined ? removeWorkspace(cluster, job, signal) : removeBuild(cluster, name));
      return [name];
    }),
  );
  return { reclaimedBytes: 0, objects: objects.flat() };
}

/** Its pod and its claim go with it. A Secret of its name is the user's, and a Job of its name may be the next one. */
async function removeWorkspace(cluster: Cluster, { metadata }: Job, signal: AbortSignal): Promise<void> {
  const { namespace, name = "", uid } = metadata ?? {};
  const preconditions = uid === undefined ? undefined : { uid };
  await cluster.delete({ apiVersion: "batch/v1", kind: "Job", namespace, name }, { signal, preconditions });
}

function hasExpired({ metadata }: Job): boolean {
  return Number(metadata?.labels?.[expiresAtLabel] ?? "Infinity") < Date.now() / 1000;
}
