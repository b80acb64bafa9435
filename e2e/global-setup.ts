import { ensureCluster } from "../dev-cluster/src/index.ts";

/** Brings the cluster up, or finds the one that is up, before the first test that needs it. */
export async function setup(): Promise<void> {
  await ensureCluster({ onProgress: (line) => console.log(line) });
}
