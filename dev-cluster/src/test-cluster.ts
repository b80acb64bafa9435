import { join } from "node:path";

import type { ClusterPaths } from "./cluster-paths.ts";
import type { ClusterRecord } from "./cluster-record.ts";
import { enterNamespaces } from "./namespaces.ts";
import { type RegistryAddress, registryAddress, seededBases } from "./registry-manifests.ts";

/** A cluster that tests, benches and the demo work on. */
export interface TestCluster {
  readonly name: string;
  /** False when `SLIPWAY_KUBECONFIG` names a cluster that was there before. */
  readonly owned: boolean;
  readonly kubeconfigPath: string;
  readonly context: string;
  /** Argument prefix of a kubectl that works on this cluster. */
  readonly kubectl: readonly string[];
  readonly nodes: readonly string[];
  readonly registry: RegistryAddress;
  /** Image references as the nodes can start them. */
  readonly images: {
    readonly pause: string;
    readonly busybox: string;
    readonly registry: string;
    readonly buildkit: string;
    readonly buildkitRootless: string;
    readonly cBase: string;
  };
  /** Image references that a builder in the cluster can use in `FROM`. */
  readonly bases: { readonly busybox: string; readonly cBase: string };
  /** Argument prefix that runs a command inside a node's namespaces; throws unless the cluster is `owned`. */
  nodeCommand(node: string): readonly string[];
}

/** Describes the cluster of a record. */
export function describeCluster(paths: ClusterPaths, record: ClusterRecord): TestCluster {
  const nodes = Object.keys(record.inits).filter((name) => name !== "control-plane");
  return {
    name: record.name,
    owned: true,
    kubeconfigPath: paths.kubeconfig,
    context: record.name,
    kubectl: [record.kubectl, "--kubeconfig", paths.kubeconfig, "--cache-dir", join(paths.root, "kubectl-cache")],
    nodes,
    registry: registryAddress,
    images: record.images,
    bases: seededBases,
    nodeCommand(node) {
      const init = nodes.includes(node) ? record.inits[node] : undefined;
      if (!init) throw new Error(`The cluster ${record.name} has no node ${node}; its nodes are ${nodes.join(", ")}.`);
      return enterNamespaces(init);
    },
  };
}
