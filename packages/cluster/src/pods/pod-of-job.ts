import { BuilderError } from "@slipway/core";

import type { Cluster } from "../cluster.ts";
import type { ClusterCall } from "../rest/api-client.ts";
import { apiStatusOf } from "../rest/api-status.ts";
import type { KubernetesEvent, Pod } from "../rest/kubernetes-object.ts";

/** Which Job, and how long its pod may take to be there. */
export interface PodOfJobOptions extends ClusterCall {
  readonly namespace: string;
  readonly name: string;
  readonly timeoutMs: number;
  /** What to do when the cluster refuses the pod: the end of the error's message. */
  readonly advice: string;
  /** Whether a pod that has ended or is being deleted will not do: the cluster may make another one. @defaultValue `false` */
  readonly activeOnly?: boolean | undefined;
}

/** How long the Job controller may take to make the pod, before its events are read. */
const lookIntervalMs = 1500;

/** Selects the pods that the cluster makes of a Job. */
export function podsOfJob(name: string): string {
  return `batch.kubernetes.io/job-name=${name}`;
}

/**
 * Waits for a pod that the cluster makes of a Job, of several one that has not ended.
 *
 * @throws BuilderError `FORBIDDEN` if Pod Security, a quota or an admission webhook does not let it in
 */
export async function podOfJob(cluster: Cluster, options: PodOfJobOptions): Promise<Pod> {
  const { namespace, name, timeoutMs, activeOnly = false, signal } = options;
  const startedMs = performance.now();
  for (;;) {
    try {
      return await cluster.waitFor<Pod, Pod>(
        { apiVersion: "v1", kind: "Pod", namespace },
        {
          ...{ labelSelector: podsOfJob(name), signal, timeoutMs: lookIntervalMs },
          until: (pods) => pods.find(isActive) ?? (activeOnly ? undefined : pods[0]),
        },
      );
    } catch (error) {
      if (signal?.aborted === true || apiStatusOf(error) !== undefined) throw error;
      const refusal = await refusalOf(cluster, options);
      if (refusal !== undefined) throw refusal;
      if (performance.now() - startedMs > timeoutMs) throw error;
    }
  }
}

function isActive({ metadata, status }: Pod): boolean {
  return metadata?.deletionTimestamp === undefined && status?.phase !== "Succeeded" && status?.phase !== "Failed";
}

async function refusalOf(cluster: Cluster, options: PodOfJobOptions): Promise<BuilderError | undefined> {
  const { namespace, name, advice, signal } = options;
  const fieldSelector = `involvedObject.kind=Job,involvedObject.name=${name},reason=FailedCreate`;
  const events = await cluster.list<KubernetesEvent>(
    { apiVersion: "v1", kind: "Event", namespace },
    { signal, fieldSelector },
  );
  const message = events.items.at(-1)?.message?.trim().replace(/\.+$/, "");
  if (message === undefined) return undefined;
  return new BuilderError({
    code: "FORBIDDEN",
    message: `Namespace ${namespace} does not let the pod of Job ${name} in: ${message}. ${advice}`,
    details: { verb: "create", resource: "pods", namespace },
  });
}
