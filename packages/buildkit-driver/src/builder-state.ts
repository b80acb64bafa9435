import type { Deployment, Pod } from "@slipway/cluster";

import { buildkitContainer, configHashAnnotation } from "./workload.ts";

/** What has to be done before a build can start. */
export type BuilderPlan = "create" | "update" | "wait" | "ready";

/** Decides what to do about a builder, from what is there and what is wanted. */
export function planBuilder(existing: Deployment | undefined, wanted: Deployment, pods: readonly Pod[]): BuilderPlan {
  if (existing === undefined) return "create";
  const sameConfig = configHash(existing) === configHash(wanted);
  if (!sameConfig || existing.spec?.replicas !== wanted.spec?.replicas) return "update";
  return readyPods(pods, wanted).length > 0 ? "ready" : "wait";
}

/** The pods that run the wanted configuration and can take a build. */
export function readyPods(pods: readonly Pod[], wanted: Deployment): readonly Pod[] {
  return wantedPods(pods, wanted).filter(isReady);
}

/** The pods of the wanted configuration that are not on their way out. */
export function wantedPods(pods: readonly Pod[], wanted: Deployment): readonly Pod[] {
  return pods.filter((pod) => configHash(pod) === configHash(wanted) && pod.metadata?.deletionTimestamp === undefined);
}

function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

function configHash(object: Deployment | Pod): string | undefined {
  return object.metadata?.annotations?.[configHashAnnotation];
}

/** The memory limit of the container that builds, as it is written in the pod. */
export function memoryLimit(pod: Pod): string | undefined {
  return pod.spec?.containers.find(({ name }) => name === buildkitContainer)?.resources?.limits?.["memory"];
}
