import type { Cluster, Job } from "@slipway/cluster";
import { unusedMsOf } from "@slipway/context-sync";
import type { DriverCall, PruneOptions, PruneResult } from "@slipway/core";

import { removeBuild } from "./build-objects.ts";
import { driverLabel, expiresAtLabel } from "./build-pod.ts";

/**
 * Removes what builds of dead processes have left behind and the cluster has not removed: only what has expired, each by its name. With `unusedForMs`,
 * workspaces too that nobody has used for so long.
 */
export async function removeLeftovers(
  cluster: Cluster,
  { unusedForMs }: PruneOptions,
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
      const name = job.metadata?.name ?? "";
      await removeBuild(cluster, name);
      return [name];
    }),
  );
  return { reclaimedBytes: 0, objects: objects.flat() };
}

function hasExpired({ metadata }: Job): boolean {
  return Number(metadata?.labels?.[expiresAtLabel] ?? "Infinity") < Date.now() / 1000;
}
