import type { Cluster, Pod } from "@slipway/cluster";
import { BuilderError } from "@slipway/core";

import type { PodTarget } from "./run-in-pod.ts";
import { syncContext, type KnownVersion, type SyncOptions, type WorkspaceVersion } from "./sync-context.ts";
import { workspaceLabels, workspacePod, type OwnerReference, type WorkspaceVolume } from "./workspace-pod.ts";

/** Which workspace, and what it is made of if it is not there yet. */
export interface WorkspaceOptions {
  /** Of its pod. */
  readonly name: string;
  /** @defaultValue that of the connection */
  readonly namespace?: string | undefined;
  /** Any image with a shell, `tar`, `sha256sum`, `find` and `xargs`, as busybox has them. */
  readonly image: string;
  /** Where contexts are kept: a claim outlives the pod. @defaultValue an `emptyDir` */
  readonly volume?: WorkspaceVolume | undefined;
  /** The pod ends itself when nobody has synced for so long, in milliseconds. @defaultValue 3600000 */
  readonly idleMs?: number | undefined;
  /** The cluster ends the pod after so long, whatever happens, in milliseconds. @defaultValue 86400000 */
  readonly lifetimeMs?: number | undefined;
  /** The object whose deletion deletes the pod. @defaultValue none */
  readonly owner?: OwnerReference | undefined;
  /** Further labels of the pod. @defaultValue none */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A folder in the cluster that takes contexts, of which only what has changed is sent. Several clients may use it at once. */
export interface Workspace {
  readonly namespace: string;
  readonly pod: string;
  /**
   * Brings a context there.
   *
   * @throws BuilderError: `CONTEXT_INVALID` as {@link contextManifest}; `CONTEXT_SYNC_FAILED` if it does not arrive as it is; `POD_LOST` and
   * the like
   */
  sync(root: string, options?: SyncOptions): Promise<WorkspaceVersion>;
  /** Deletes the pod, for all clients. */
  delete(): Promise<void>;
}

const hourMs = 3_600_000;

/**
 * Finds the pod of a workspace or starts it, and waits until it runs. A pod that has ended, by its lifetime or because nobody used it, is
 * replaced.
 *
 * @throws BuilderError: `INVALID_OPTIONS` if another pod has the name; what hinders the pod, such as `UNSCHEDULABLE` or `IMAGE_PULL_FAILED`
 */
export async function openWorkspace(cluster: Cluster, options: WorkspaceOptions): Promise<Workspace> {
  const { name, namespace = cluster.namespace, signal } = options;
  const reference = { apiVersion: "v1", kind: "Pod", namespace, name };
  for (;;) {
    const existing = await cluster.get<Pod>(reference, { signal });
    if (existing !== undefined && !isOver(checked(existing, name))) break;
    if (existing === undefined) {
      if (await createPod(cluster, podOf(options, namespace), signal)) break;
      continue;
    }
    await cluster.delete(reference, { signal, ...preconditionOf(existing) });
    await cluster.waitFor<Pod, true>(
      { apiVersion: "v1", kind: "Pod", namespace },
      {
        signal,
        fieldSelector: `metadata.name=${name}`,
        until: ([pod]) => (pod?.metadata?.uid === existing.metadata?.uid ? undefined : true),
      },
    );
  }
  await cluster.waitForPod({ namespace, name, signal });
  const target: PodTarget = { cluster, namespace, pod: name };
  const known = new Map<string, KnownVersion>();
  return {
    namespace,
    pod: name,
    sync: (root, syncOptions = {}) => syncContext(target, root, syncOptions, known),
    delete: () => cluster.delete(reference),
  };
}

function podOf(options: WorkspaceOptions, namespace: string): Pod {
  const { name, image, volume = { type: "emptyDir" }, owner, labels } = options;
  const { idleMs = hourMs, lifetimeMs = 24 * hourMs } = options;
  const seconds = { idleSeconds: Math.ceil(idleMs / 1000), lifetimeSeconds: Math.ceil(lifetimeMs / 1000) };
  return workspacePod({ name, namespace, image, volume, owner, labels, ...seconds });
}

function isOver({ metadata, status }: Pod): boolean {
  return metadata?.deletionTimestamp !== undefined || status?.phase === "Succeeded" || status?.phase === "Failed";
}

/** A pod of the same name that somebody else made is not ours to use, nor to delete. */
function checked(pod: Pod, name: string): Pod {
  const labels = pod.metadata?.labels ?? {};
  if (Object.entries(workspaceLabels(name)).every(([key, value]) => labels[key] === value)) return pod;
  const message = `Pod ${pod.metadata?.namespace ?? ""}/${name} is not a workspace of Slipway. Choose another name or namespace.`;
  throw new BuilderError({ code: "INVALID_OPTIONS", message, details: { issues: [{ path: "name", message }] } });
}

/** Whether it was created; somebody else may have been faster. */
async function createPod(cluster: Cluster, pod: Pod, signal: AbortSignal | undefined): Promise<boolean> {
  const { apiStatusOf } = await import("@slipway/cluster");
  try {
    await cluster.create(pod, { signal });
    return true;
  } catch (error) {
    if (apiStatusOf(error)?.code === 409) return false;
    throw error;
  }
}

function preconditionOf({ metadata }: Pod): { preconditions?: { uid: string } } {
  return metadata?.uid === undefined ? {} : { preconditions: { uid: metadata.uid } };
}
