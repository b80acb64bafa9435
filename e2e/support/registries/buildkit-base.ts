import { fileURLToPath } from "node:url";

import { createArtifactStore } from "../../../dev-cluster/src/artifact-store.ts";
import { planArtifacts } from "../../../dev-cluster/src/cluster-artifacts.ts";
import { cacheFolder } from "../../../dev-cluster/src/cluster-paths.ts";
import { goVersion } from "../../../dev-cluster/src/go-programs.ts";
import type { TestCluster } from "../../../dev-cluster/src/index.ts";
import type { Upload } from "../../../dev-cluster/src/registry-upload.ts";
import { runCommand } from "../../../dev-cluster/src/run-command.ts";

const clusterCommand = fileURLToPath(new URL("../../../dev-cluster/src/main.ts", import.meta.url));

/**
 * The image of buildkitd as a builder can use it in `FROM`. The embedded cluster has it only in its nodes: it is uploaded into the cluster's
 * registry, unless it is there.
 */
export async function buildkitBase(testCluster: TestCluster): Promise<string> {
  if (!testCluster.owned) return testCluster.images.buildkit;
  const store = createArtifactStore(cacheFolder());
  const { buildkit } = planArtifacts(store, await goVersion()).images;
  const upload: Upload = { layout: store.folder(buildkit), repository: "base/buildkit", tag: buildkit.key };
  // The registry answers inside a node's network only: the program that uploads runs there.
  const enter = testCluster.nodeCommand(testCluster.nodes[0] ?? "");
  const seed = [process.execPath, clusterCommand, "seed-registry", testCluster.registry.nodeHost];
  await runCommand([...enter, ...seed, JSON.stringify([upload])]);
  return `${testCluster.registry.clusterHost}/${upload.repository}:${upload.tag}`;
}
