import type { ClusterPaths } from "./cluster-paths.ts";
import { type ClusterRecord, deadProcesses } from "./cluster-record.ts";
import { type KubeApi, connectKubeApi } from "./kube-api.ts";
import { registryAddress } from "./registry-manifests.ts";

/** The parts of a Node object that are read here. */
interface NodeObject {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly taints?: readonly unknown[] };
  readonly status: { readonly conditions?: readonly { type: string; status: string; lastHeartbeatTime: string }[] };
}

/** The state of one node as the API server reports it. */
export interface NodeState {
  readonly name: string;
  readonly isReady: boolean;
  readonly isTainted: boolean;
}

/** Takes names and conditions out of a node list. */
export function nodeStates(list: unknown): readonly NodeState[] {
  const nodes = (list as { items?: readonly NodeObject[] } | undefined)?.items ?? [];
  return nodes.map(({ metadata, spec, status }) => ({
    name: metadata.name,
    isReady: status.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") ?? false,
    isTainted: (spec.taints?.length ?? 0) > 0,
  }));
}

/** Lists the nodes. */
export async function listNodes(api: KubeApi): Promise<readonly NodeState[]> {
  return nodeStates(await api.call("GET", "/api/v1/nodes"));
}

interface DeploymentObject {
  readonly metadata: { readonly generation: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
  };
}

/** Whether the registry's current revision answers. */
export async function isRegistryReady(api: KubeApi): Promise<boolean> {
  const path = `/apis/apps/v1/namespaces/${registryAddress.namespace}/deployments/registry`;
  const deployment = (await api.call("GET", path)) as DeploymentObject | undefined;
  const status = deployment?.status;
  return (
    status?.observedGeneration === deployment?.metadata.generation &&
    (status?.updatedReplicas ?? 0) > 0 &&
    (status?.availableReplicas ?? 0) > 0
  );
}

/** What is wrong with a started cluster; empty when it can be used. */
export async function findAilments(paths: ClusterPaths, record: ClusterRecord): Promise<readonly string[]> {
  const dead = deadProcesses(record);
  if (dead.length > 0) return dead.map((name) => `${name} does not run`);
  try {
    using api = connectKubeApi(paths.kubeconfig);
    if (!(await api.isReady())) return ["the API server is not ready"];
    const nodes = await listNodes(api);
    const expected = Object.keys(record.inits).filter((name) => name !== "control-plane");
    const unready = expected.filter((name) => !nodes.some((node) => node.name === name && node.isReady));
    const ailments = unready.map((name) => `${name} is not ready`);
    return (await isRegistryReady(api)) ? ailments : [...ailments, "the registry is not ready"];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
