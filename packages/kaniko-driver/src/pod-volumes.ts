import type { PodSpec } from "@slipway/cluster";

/** A container of a pod. */
export type Container = PodSpec["containers"][number];

/** Volumes of a pod, and where one of its containers has them. */
export interface PodVolumes {
  readonly volumes: NonNullable<PodSpec["volumes"]>;
  readonly volumeMounts: NonNullable<Container["volumeMounts"]>;
}
