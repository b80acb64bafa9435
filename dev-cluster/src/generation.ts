import type { ArtifactStore } from "./artifact-store.ts";
import { addressPlan } from "./address-plan.ts";
import type { ClusterArtifacts } from "./cluster-artifacts.ts";
import type { ClusterSite } from "./cluster-context.ts";
import { containerdConfig, networkConfig } from "./containerd.ts";
import { hashInputs } from "./content-hash.ts";
import { addonCommands, apiServerCommand, controllerCommands, corefile, etcdCommand } from "./control-plane.ts";
import { initScript } from "./namespaces.ts";
import { kubeletConfig, nodeCommands } from "./worker-node.ts";

/** Hashes the programs and all configuration: what a running cluster cannot change. Addresses are left out of it. */
export function generationOf(
  site: ClusterSite,
  store: ArtifactStore,
  artifacts: ClusterArtifacts,
  pauseImage: string,
): string {
  const plan = addressPlan(0);
  const { paths } = site;
  const folder = store.folder(artifacts.programs.hyper);
  const addons = store.folder(artifacts.programs.addons);
  const packages = store.folder(artifacts.nodePackages);
  const control = [
    etcdCommand(paths, folder),
    apiServerCommand(paths, plan, folder),
    ...controllerCommands(paths, site.name, folder),
    ...addonCommands(paths, addons),
  ];
  const nodes = plan.nodes.map((node) => [
    nodeCommands(paths, plan, node, folder),
    kubeletConfig(paths, plan, node, site.cgroups.path),
    networkConfig(node),
    containerdConfig({ packages, networkConfig: "", pauseImage }),
    initScript(node.name, "", store.folder(artifacts.programs.pause)),
  ]);
  return hashInputs({ control: JSON.stringify(control), nodes: JSON.stringify(nodes), dns: corefile(paths, plan) });
}
