import { type ClusterChoice, clusterSite } from "./cluster-context.ts";
import { deadProcesses, readRecord } from "./cluster-record.ts";
import { type DownOptions, down } from "./down.ts";
import { embeddedClusterName, existingCluster, wantsExistingCluster } from "./existing-cluster.ts";
import { createProgress } from "./progress.ts";
import { type TestCluster, describeCluster } from "./test-cluster.ts";
import { up } from "./up.ts";

/** Where progress goes; nowhere unless given. */
interface Reporting {
  readonly onProgress?: ((line: string) => void) | undefined;
}

/**
 * Gives the cluster to work on: the one that `SLIPWAY_KUBECONFIG` (and `SLIPWAY_CONTEXT`) name, else the embedded one,
 * which is started unless it runs. `KUBECONFIG` alone is never used.
 */
export async function ensureCluster(options: ClusterChoice & Reporting = {}): Promise<TestCluster> {
  const progress = createProgress(options.onProgress ?? (() => undefined));
  if (wantsExistingCluster()) return existingCluster(progress);
  return up({ ...options, name: options.name ?? chosenName() }, progress);
}

/** `env` of an embedded cluster sets SLIPWAY_KUBECONFIG to that cluster's own file: it stays an embedded one. */
function chosenName(): string | undefined {
  return embeddedClusterName(process.env["SLIPWAY_KUBECONFIG"] ?? "");
}

/** Ends an embedded cluster; one that `SLIPWAY_KUBECONFIG` names is left alone. */
export async function clusterDown(options: DownOptions & Reporting = {}): Promise<void> {
  if (!wantsExistingCluster()) await down(options, createProgress(options.onProgress ?? (() => undefined)));
}

/** Describes an embedded cluster that runs; undefined when it does not. */
export function readCluster(name?: string): TestCluster | undefined {
  const site = clusterSite({ name });
  const record = readRecord(site.paths);
  return record && deadProcesses(record).length === 0 ? describeCluster(site.paths, record) : undefined;
}
