import { contextMountPath } from "./executor-arguments.ts";
import type { PodVolumes } from "./pod-volumes.ts";
import type { ContextMount } from "./workspace-context.ts";

/** The volume with a context, and where its executor has it: below kaniko's own folder, which is no part of any image, and read-only. */
export function contextVolume(context: ContextMount | undefined): PodVolumes {
  if (context === undefined) return { volumes: [], volumeMounts: [] };
  const { claimName, subPath } = context;
  return {
    volumes: [{ name: "context", persistentVolumeClaim: { claimName } }],
    volumeMounts: [{ name: "context", mountPath: contextMountPath, subPath, readOnly: true }],
  };
}

interface Affinity {
  readonly podAffinity?: { readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly object[] };
}

/** Most volumes can be mounted on one node at a time only: that of the workspace's pod. */
export function besideWorkspace(affinity: object | undefined, context: ContextMount | undefined): object | undefined {
  if (context?.beside === undefined) return affinity;
  const { podAffinity } = (affinity ?? {}) as Affinity;
  const term = { labelSelector: { matchLabels: context.beside }, topologyKey: "kubernetes.io/hostname" };
  const required = [...(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []), term];
  return { ...affinity, podAffinity: { ...podAffinity, requiredDuringSchedulingIgnoredDuringExecution: required } };
}
