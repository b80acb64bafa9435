import { mergePodTemplate, type Job, type PersistentVolumeClaim, type PodTemplate } from "@slipway/cluster";

import { idleScript, mountPath } from "./workspace-scripts.ts";

/** What a workspace's files are kept on. */
export type WorkspaceVolume =
  | {
      readonly type: "emptyDir";
      /** A quantity such as `10Gi`. @defaultValue that of the node */
      readonly sizeLimit?: string | undefined;
      /** @defaultValue the node's disk */
      readonly medium?: "Memory" | undefined;
    }
  /** A claim of the user's, which outlives the workspace. */
  | { readonly type: "claim"; readonly claimName: string }
  /** A claim that is made with the workspace and goes with it. */
  | {
      readonly type: "claim-template";
      /** A quantity such as `10Gi`. */
      readonly size: string;
      /** @defaultValue the default of the cluster */
      readonly storageClass?: string | undefined;
      /** @defaultValue `ReadWriteOnce` */
      readonly accessMode?: "ReadWriteOnce" | "ReadWriteMany" | undefined;
    };

/** The object whose deletion deletes another. */
export type OwnerReference = NonNullable<NonNullable<Job["metadata"]>["ownerReferences"]>[number];

/** What a workspace is made of. */
export interface WorkspaceJobOptions {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  readonly volume: WorkspaceVolume;
  /** Of the claim that is made for it, if one is. */
  readonly claimName: string;
  readonly lifetimeSeconds: number;
  readonly idleSeconds: number;
  readonly nowMs: number;
  readonly owner?: OwnerReference | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly podTemplate?: PodTemplate | undefined;
}

const volumeName = "workspace";
/** Names the claim that is made for a workspace. */
const ownClaimAnnotation = "slipway.dev/own-claim";
/** How long the Job stays that has ended. */
const leftoverSeconds = 5;
/** How often a pod may be lost otherwise than by a disruption, which does not count. */
const backoffLimit = 3;

/** Tells workspaces from other objects. */
export function workspaceLabels(name: string): Readonly<Record<string, string>> {
  return { "app.kubernetes.io/managed-by": "slipway", "slipway.dev/workspace": name };
}

/** The labels of a workspace and of all that belongs to it. */
function labelsOf({ name, labels, lifetimeSeconds, nowMs }: WorkspaceJobOptions): Readonly<Record<string, string>> {
  const expiresAt = String(Math.ceil(nowMs / 1000) + lifetimeSeconds);
  return { ...labels, ...workspaceLabels(name), "slipway.dev/expires-at": expiresAt };
}

/**
 * A workspace as one object: a Job, because the cluster then gives it another pod when it loses one, ends it, and removes it with all that it owns,
 * also when nobody is left to do so; never suspended, since the lifetime of a suspended Job does not run. The pod needs no more than a shell, and nothing of the cluster.
 */
export function workspaceJob(options: WorkspaceJobOptions): Job {
  const { name, namespace, volume, claimName, lifetimeSeconds, owner } = options;
  const labels = labelsOf(options);
  const template = mergePodTemplate(podTemplate(options), options.podTemplate ?? {});
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      ...{ name, namespace, labels },
      ...(volume.type === "claim-template" ? { annotations: { [ownClaimAnnotation]: claimName } } : {}),
      ...(owner === undefined ? {} : { ownerReferences: [owner] }),
    },
    spec: {
      activeDeadlineSeconds: lifetimeSeconds,
      ttlSecondsAfterFinished: leftoverSeconds,
      backoffLimit,
      podFailurePolicy: {
        rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }],
      },
      template: { ...template, metadata: { ...template.metadata, labels: { ...template.metadata.labels, ...labels } } },
    },
  };
}

function podTemplate({ image, volume, claimName, idleSeconds }: WorkspaceJobOptions) {
  return {
    metadata: { labels: {} },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 1,
      volumes: [{ name: volumeName, ...volumeSource(volume, claimName) }],
      containers: [
        {
          name: "workspace",
          image,
          command: ["sh", "-c", idleScript, mountPath, String(idleSeconds)],
          volumeMounts: [{ name: volumeName, mountPath }],
          resources: { requests: { cpu: "10m", memory: "32Mi" } },
          securityContext: { allowPrivilegeEscalation: false, seccompProfile: { type: "RuntimeDefault" } },
        },
      ],
    },
  };
}

function volumeSource(volume: WorkspaceVolume, claimName: string): object {
  switch (volume.type) {
    case "claim":
      return { persistentVolumeClaim: { claimName: volume.claimName } };
    case "claim-template":
      return { persistentVolumeClaim: { claimName } };
    case "emptyDir": {
      const { sizeLimit, medium } = volume;
      return {
        emptyDir: { ...(sizeLimit === undefined ? {} : { sizeLimit }), ...(medium === undefined ? {} : { medium }) },
      };
    }
  }
}

/** Whether the claim of a workspace is made for it, and goes with it. */
export function hasOwnClaim({ metadata }: Job): boolean {
  return metadata?.annotations?.[ownClaimAnnotation] !== undefined;
}

/** The name of the claim that a workspace is on; undefined if it is on something else. */
export function claimOf({ spec }: Job): string | undefined {
  const volumes = spec?.template.spec?.volumes ?? [];
  return volumes.find(({ name }) => name === volumeName)?.persistentVolumeClaim?.claimName;
}

/** The claim of a workspace, which the cluster removes together with its Job. */
export function workspaceClaim(
  job: Job,
  { size, storageClass, accessMode = "ReadWriteOnce" }: Extract<WorkspaceVolume, { type: "claim-template" }>,
): PersistentVolumeClaim {
  const { name = "", namespace = "", uid = "", labels = {} } = job.metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      ...{ name: claimOf(job) ?? name, namespace, labels },
      ownerReferences: [
        { apiVersion: "batch/v1", kind: "Job", name, uid, controller: true, blockOwnerDeletion: false },
      ],
    },
    spec: {
      accessModes: [accessMode],
      resources: { requests: { storage: size } },
      ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
    },
  };
}
