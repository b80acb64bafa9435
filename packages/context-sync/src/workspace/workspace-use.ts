import type { Cluster, ClusterCall, Job, Pod } from "@slipway/cluster";
import { BuilderError } from "@slipway/core";

import { runInPod } from "./run-in-pod.ts";
import { mountPath, unusedScript } from "./workspace-scripts.ts";

/** Whoever has a lease that does not keep the workspace, and has not renewed it for so long, is gone: renewals are due every minute. */
const silentSeconds = 180;

/**
 * For how long nobody has synced to the workspace that a Job is, or could have while its pod did not start, in milliseconds; undefined if somebody uses
 * a version of it, if that cannot be told, or if the Job is no workspace. Of clients that were killed, a version that does not keep the workspace is no use.
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
  try {
    const { exitCode, output } = await runInPod(target, unusedScript, [mountPath, String(silentSeconds)], call);
    const said = output.toString().trim();
    return exitCode === 0 && /^\d+$/.test(said) ? Number(said) * 1000 : undefined;
  } catch (error) {
    // It ends by itself, which is what whoever asks wants.
    if (BuilderError.from(error).code === "POD_LOST") return undefined;
    throw error;
  }
}

function createdMs({ metadata }: Pod): number {
  return Date.parse(String(metadata?.creationTimestamp));
}
