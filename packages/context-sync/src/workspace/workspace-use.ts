import type { Cluster, ClusterCall, Job, Pod } from "@slipway/cluster";

import { runInPod } from "./run-in-pod.ts";
import { mountPath, unusedScript } from "./workspace-scripts.ts";

/**
 * For how long nobody has synced to the workspace that a Job is, or could have while its pod did not start, in milliseconds; undefined if somebody uses
 * a version of it, if that cannot be told, or if the Job is no workspace.
 */
export async function unusedMsOf(cluster: Cluster, job: Job, call: ClusterCall = {}): Promise<number | undefined> {
  const { namespace = "", name = "", labels = {} } = job.metadata ?? {};
  if (labels["slipway.dev/workspace"] === undefined) return undefined;
  const { podsOfJob } = await import("@slipway/cluster");
  const kind = { apiVersion: "v1", kind: "Pod", namespace };
  const { items } = await cluster.list<Pod>(kind, { labelSelector: podsOfJob(name), signal: call.signal });
  const pod = items.find(
    ({ metadata, status }) => metadata?.deletionTimestamp === undefined && status?.phase === "Running",
  );
  const pending = items.find(({ status }) => status?.phase === "Pending");
  if (pod === undefined) return pending === undefined ? undefined : Date.now() - createdMs(pending);
  const target = { cluster, namespace, pod: pod.metadata?.name ?? "" };
  const { exitCode, output } = await runInPod(target, unusedScript, [mountPath], call);
  const said = output.toString().trim();
  return exitCode === 0 && /^\d+$/.test(said) ? Number(said) * 1000 : undefined;
}

function createdMs({ metadata }: Pod): number {
  return Date.parse(String(metadata?.creationTimestamp));
}
