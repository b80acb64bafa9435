import { rmSync } from "node:fs";
import { rm } from "node:fs/promises";

import { type ClusterChoice, type ClusterSite, clusterSite } from "./cluster-context.ts";
import { bootId, readRecord } from "./cluster-record.ts";
import { withLock } from "./file-lock.ts";
import { removeHostLink } from "./network.ts";
import { findObstacle, thisMachine } from "./preflight.ts";
import { killProcess } from "./process-identity.ts";
import type { Progress } from "./progress.ts";

/** How to end a cluster. */
export interface DownOptions extends ClusterChoice {
  /** Also deletes its state: objects, volumes, logs and the images in its nodes and registry. */
  readonly purge?: boolean;
}

/** Ends a cluster and everything in it, also one whose start was interrupted. */
export async function down(options: DownOptions, progress: Progress): Promise<void> {
  const site = clusterSite(options);
  const obstacle = findObstacle(thisMachine(site.cache));
  if (obstacle) throw obstacle;
  const wait = (): void => progress.note("another command works on this cluster; waiting for it");
  await withLock(
    site.paths.lock,
    async () => {
      await progress.step(`end cluster ${site.name}`, () => stopCluster(site));
      if (options.purge) await progress.step("delete its state", () => purgeState(site));
    },
    wait,
  );
}

/**
 * Ends all processes: pid 1 of a namespace takes everything in it along, mounts, links and firewall rules included;
 * what was started before it was written down is found by its control group.
 */
export async function stopCluster(site: ClusterSite): Promise<void> {
  const record = readRecord(site.paths);
  if (record?.bootId === bootId()) for (const init of Object.values(record.inits)) killProcess(init);
  rmSync(site.paths.record, { force: true });
  await site.cgroups.remove();
  await removeHostLink(site.paths.id);
}

/** Deletes the state folder of a cluster that was stopped. */
export async function purgeState(site: ClusterSite): Promise<void> {
  await rm(site.paths.root, { recursive: true, force: true, maxRetries: 3 });
}
