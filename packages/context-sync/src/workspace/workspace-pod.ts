import type { Pod } from "@slipway/cluster";

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
  | { readonly type: "claim"; readonly claimName: string };

/** The object whose deletion deletes another. */
export type OwnerReference = NonNullable<NonNullable<Pod["metadata"]>["ownerReferences"]>[number];

/** What a workspace's pod is made of. */
export interface WorkspacePodOptions {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  readonly volume: WorkspaceVolume;
  readonly lifetimeSeconds: number;
  readonly idleSeconds: number;
  readonly owner?: OwnerReference | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

function emptyDirOf({ sizeLimit, medium }: Exclude<WorkspaceVolume, { type: "claim" }>): Record<string, string> {
  return { ...(sizeLimit === undefined ? {} : { sizeLimit }), ...(medium === undefined ? {} : { medium }) };
}

/** Tells pods of workspaces from others. */
export function workspaceLabels(name: string): Readonly<Record<string, string>> {
  return { "app.kubernetes.io/managed-by": "slipway", "slipway.dev/workspace": name };
}

/** The pod behind a workspace: it needs no more than a shell, and nothing of the cluster. */
export function workspacePod(options: WorkspacePodOptions): Pod {
  const { name, namespace, image, volume, lifetimeSeconds, idleSeconds, owner, labels } = options;
  const source =
    volume.type === "claim"
      ? { persistentVolumeClaim: { claimName: volume.claimName } }
      : { emptyDir: emptyDirOf(volume) };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace,
      labels: { ...labels, ...workspaceLabels(name) },
      ...(owner === undefined ? {} : { ownerReferences: [owner] }),
    },
    spec: {
      restartPolicy: "Never",
      activeDeadlineSeconds: lifetimeSeconds,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 1,
      volumes: [{ name: "workspace", ...source }],
      containers: [
        {
          name: "workspace",
          image,
          command: ["sh", "-c", idleScript, mountPath, String(idleSeconds)],
          volumeMounts: [{ name: "workspace", mountPath }],
          resources: { requests: { cpu: "10m", memory: "32Mi" } },
          securityContext: {
            allowPrivilegeEscalation: false,
            seccompProfile: { type: "RuntimeDefault" },
          },
        },
      ],
    },
  };
}
