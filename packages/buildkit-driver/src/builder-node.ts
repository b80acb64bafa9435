import type { DaemonInfo, WorkerInfo } from "@slipway/buildkit-client";
import type { Deployment, Pod } from "@slipway/cluster";
import type { BuilderNode, BuilderState, BuilderStatus } from "@slipway/core";

/** What a daemon says of itself. */
export interface DaemonReport {
  readonly info: DaemonInfo;
  readonly workers: readonly WorkerInfo[];
}

/** The status of a builder, from its Deployment and pods and from what their daemons say. */
export function builderStatus(
  deployment: Deployment | undefined,
  pods: readonly Pod[],
  reports: ReadonlyMap<string, DaemonReport>,
): BuilderStatus {
  if (deployment === undefined) return { state: "inactive", nodes: [] };
  const nodes = pods.map((pod) => builderNode(pod, reports.get(pod.metadata?.name ?? "")));
  return { state: builderState(deployment, nodes), nodes };
}

function builderState(deployment: Deployment, nodes: readonly BuilderNode[]): BuilderState {
  if (nodes.some(({ state }) => state === "running")) return "running";
  if ((deployment.spec?.replicas ?? 1) > 0) return "starting";
  return nodes.length > 0 ? "stopping" : "stopped";
}

function builderNode(pod: Pod, report: DaemonReport | undefined): BuilderNode {
  const name = pod.metadata?.name ?? "";
  if (report !== undefined) {
    const platforms = [...new Set(report.workers.flatMap((worker) => worker.platforms))];
    const { version } = report.info;
    return { name, state: "running", platforms, ...(version === undefined ? {} : { version }) };
  }
  const waiting = pod.status?.containerStatuses?.find(({ state }) => state?.waiting !== undefined)?.state?.waiting;
  const reason = waiting?.message ?? waiting?.reason ?? pod.status?.message;
  const state = pod.metadata?.deletionTimestamp === undefined ? "starting" : "stopping";
  return { name, state, platforms: [], ...(reason === undefined ? {} : { reason }) };
}
