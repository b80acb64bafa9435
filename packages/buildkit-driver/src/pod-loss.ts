import { setTimeout as delay } from "node:timers/promises";

import {
  diagnosePod,
  podError,
  podEvents,
  type Cluster,
  type KubernetesEvent,
  type Pod,
  type PodDiagnosis,
} from "@slipway/cluster";

import { buildkitContainer } from "./workload.ts";

/**
 * Why a pod cannot go on with a build.
 *
 * @param start - the pod as the build found it
 * @param now - the pod of that name as it is, if there is one
 * @returns undefined while nothing is wrong with it
 */
export function podLoss(
  start: Pod,
  now: Pod | undefined,
  events: readonly KubernetesEvent[],
): PodDiagnosis | undefined {
  const { name = "", namespace = "", uid } = start.metadata ?? {};
  const same = now?.metadata?.uid === uid ? now : undefined;
  // What ended before the build began is not its loss. The container's id tells; clocks of two machines would not.
  const sinceMs = containerId(same) === containerId(start) ? undefined : 0;
  const diagnosis = diagnosePod(same, events, { namespace, name, sinceMs });
  return diagnosis?.final === true ? diagnosis : undefined;
}

/** A build without changes is over by then, and does not pay for the watch. It misses nothing: it begins where the pod was last seen. */
const guardDelayMs = 1000;

/** Watches a pod for the time of a build. */
export interface PodGuard extends Disposable {
  /** Fires with the error as soon as the pod is lost, or on its way out. */
  readonly lost: AbortSignal;
}

/**
 * Watches the pod of a build. A pod that is told to go keeps its daemon, and with it the build, until its grace period is over: that the
 * build has to go elsewhere is known long before the connection ends.
 */
export function guardPod(cluster: Cluster, start: Pod, call: { readonly signal: AbortSignal }): PodGuard {
  const { name, namespace, uid, resourceVersion = "" } = start.metadata ?? {};
  const lost = new AbortController();
  const over = new AbortController();
  const signal = AbortSignal.any([call.signal, over.signal]);
  const follow = async (): Promise<void> => {
    await delay(guardDelayMs, undefined, { signal });
    const options = { fieldSelector: `metadata.name=${name ?? ""}`, from: { items: [start], resourceVersion }, signal };
    for await (const { type, object } of cluster.watch<Pod>({ apiVersion: "v1", kind: "Pod", namespace }, options)) {
      const now = type === "DELETED" ? undefined : object;
      if (podLoss(start, now, []) === undefined) continue;
      const events = await podEvents(cluster, { namespace: namespace ?? "", name: name ?? "", uid }, { signal });
      const diagnosis = podLoss(start, now, events);
      if (diagnosis === undefined) continue;
      lost.abort(podError(diagnosis));
      return;
    }
  };
  // Without the watch, the end of the connection tells; only later.
  follow().catch(() => undefined);
  return { lost: lost.signal, [Symbol.dispose]: () => over.abort() };
}

/** The id of the container that builds; a restart changes it. */
export function containerId(pod: Pod | undefined): string | undefined {
  return pod?.status?.containerStatuses?.find(({ name }) => name === buildkitContainer)?.containerID;
}
