import { randomBytes } from "node:crypto";

import type { Cluster, Job, PersistentVolumeClaim, PodTemplate } from "@slipway/cluster";
import { BuilderError } from "@slipway/core";

import { syncContext, type KnownVersion, type SyncOptions, type WorkspaceVersion } from "./sync-context.ts";
import {
  claimOf,
  hasOwnClaim,
  workspaceClaim,
  workspaceJob,
  workspaceLabels,
  type OwnerReference,
  type WorkspaceVolume,
} from "./workspace-job.ts";
import { readyPods, WorkspacePod } from "./workspace-pod.ts";

/** Which workspace, and what it is made of if it is not there yet. */
export interface WorkspaceOptions {
  /** Of its Job. */
  readonly name: string;
  /** @defaultValue that of the connection */
  readonly namespace?: string | undefined;
  /** Any image with a shell, `tar`, `sha256sum`, `find` and `xargs`, as busybox has them; with `gzip` too, less has to be sent. */
  readonly image: string;
  /** Where contexts are kept: a claim outlives the pod. @defaultValue an `emptyDir` */
  readonly volume?: WorkspaceVolume | undefined;
  /** The workspace ends itself when nobody has synced for so long and no version is leased, in milliseconds. @defaultValue 3600000 */
  readonly idleMs?: number | undefined;
  /** The cluster ends the workspace after so long, whatever happens, in milliseconds. @defaultValue 86400000 */
  readonly lifetimeMs?: number | undefined;
  /** The object whose deletion deletes the workspace. @defaultValue none */
  readonly owner?: OwnerReference | undefined;
  /** Further labels of the workspace and all that belongs to it. @defaultValue none */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Merged into the pod, as `kubectl patch` merges. @defaultValue nothing */
  readonly podTemplate?: PodTemplate | undefined;
  /** How long the pod may take to start, in milliseconds. @defaultValue 300000 */
  readonly startTimeoutMs?: number | undefined;
  /** How long the pod may be without a node before that is an error, in milliseconds. @defaultValue `startTimeoutMs` */
  readonly unschedulableGraceMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A folder in the cluster that takes contexts, of which only what has changed is sent. Several clients may use it at once. */
export interface Workspace {
  readonly namespace: string;
  /** The pod behind it at present. */
  readonly pod: string;
  /** The claim that it is on, which other pods may mount; undefined on an `emptyDir`. */
  readonly claimName?: string | undefined;
  /**
   * Brings a context there.
   *
   * @throws BuilderError: `CONTEXT_INVALID` as {@link contextManifest}; `CONTEXT_SYNC_FAILED` if it does not arrive as it is; `POD_LOST` and
   * the like
   */
  sync(root: string, options?: SyncOptions): Promise<WorkspaceVersion>;
  /** Deletes it and all that it holds, for all clients; a claim of the user's stays. */
  delete(): Promise<void>;
}

const hourMs = 3_600_000;
const defaultStartTimeoutMs = 300_000;
const cleanupTimeoutMs = 10_000;

/**
 * Finds a workspace or starts it, and waits until it runs. One that has ended, by its lifetime or because nobody used it, is replaced.
 *
 * @throws BuilderError: `INVALID_OPTIONS` if another Job has the name, or it is on another claim; what hinders the pod, such as `UNSCHEDULABLE` or `IMAGE_PULL_FAILED`
 */
export async function openWorkspace(cluster: Cluster, options: WorkspaceOptions): Promise<Workspace> {
  const { name, namespace = cluster.namespace, signal } = options;
  const reference = { apiVersion: "batch/v1", kind: "Job", namespace, name };
  const [{ job, isNew }, ready] = await Promise.all([
    ensureJob(cluster, options, namespace),
    readyPods(cluster, namespace, name, signal),
  ]);
  checkClaim(job, options);
  const { uid = "" } = job.metadata ?? {};
  const present = ready.get(uid) ?? (await startedPod(cluster, { job, isNew }, options));
  const target = new WorkspacePod(cluster, { namespace, name, uid }, present);
  const known = new Map<string, KnownVersion>();
  return {
    namespace,
    get pod() {
      return target.pod;
    },
    claimName: claimOf(job),
    sync: async (root, syncOptions = {}) => {
      const version = await target.orNext(() => syncContext(target, root, syncOptions, known), syncOptions);
      return {
        ...version,
        renew: (call) => target.orNext(() => version.renew(call), call),
        release: (call) => target.orNext(() => version.release(call), call),
      };
    },
    delete: () => cluster.delete(reference),
  };
}

/** Waits for the pod of a workspace that begins. One that does not is deleted: nothing would end it before its lifetime has passed. */
async function startedPod(cluster: Cluster, { job, isNew }: FoundJob, options: WorkspaceOptions): Promise<string> {
  const { namespace = "", name = "", uid = "" } = job.metadata ?? {};
  try {
    const made = ensureClaim(cluster, job, options);
    // It may be there, and a quota that has no room for another one answers before that is seen.
    await (isNew ? made : made.catch(() => undefined));
    return await untilStarted(cluster, namespace, options);
  } catch (error) {
    const signal = AbortSignal.timeout(cleanupTimeoutMs);
    const reference = { apiVersion: "batch/v1", kind: "Job", namespace, name };
    const wasStarted = (job.status?.startTime ?? "") !== "";
    if (!wasStarted) await cluster.delete(reference, { signal, preconditions: { uid } }).catch(() => undefined);
    throw error;
  }
}

async function untilStarted(cluster: Cluster, namespace: string, options: WorkspaceOptions): Promise<string> {
  const { name, signal, startTimeoutMs: timeoutMs = defaultStartTimeoutMs, unschedulableGraceMs: graceMs } = options;
  const { podOfJob } = await import("@slipway/cluster");
  const advice = "A workspace needs the Pod Security level baseline; see podTemplate for what else a policy may want.";
  const { metadata } = await podOfJob(cluster, { namespace, name, timeoutMs, advice, activeOnly: true, signal });
  const pod = metadata?.name ?? "";
  await cluster.waitForPod({ namespace, name: pod, timeoutMs, graceMs, signal });
  return pod;
}

interface FoundJob {
  readonly job: Job;
  /** Whether this client has made it. */
  readonly isNew: boolean;
}

/** The Job of the name that has not ended; this client's, or that of somebody who was faster. */
async function ensureJob(cluster: Cluster, options: WorkspaceOptions, namespace: string): Promise<FoundJob> {
  const { name, signal } = options;
  const reference = { apiVersion: "batch/v1", kind: "Job", namespace, name };
  for (;;) {
    const existing = await cluster.get<Job>(reference, { signal });
    if (existing === undefined) {
      const created = await createUnlessThere(cluster, jobOf(options, namespace), signal);
      if (created !== undefined) return { job: created, isNew: true };
    } else if (isOver(checked(existing, name))) {
      await replaceJob(cluster, existing, options);
    } else {
      return { job: existing, isNew: false };
    }
  }
}

/** Who names a claim means that one, and nobody's contexts go elsewhere in silence. */
function checkClaim(job: Job, { name, volume }: WorkspaceOptions): void {
  const claim = claimOf(job);
  if (volume?.type !== "claim" || claim === volume.claimName) return;
  const message = `Workspace ${name} is on ${claim === undefined ? "no claim" : `claim ${claim}`}, not on ${volume.claimName}. Choose another name, or wait until it ends.`;
  throw new BuilderError({
    code: "INVALID_OPTIONS",
    message,
    details: { issues: [{ path: "volume.claimName", message }] },
  });
}

function jobOf(options: WorkspaceOptions, namespace: string): Job {
  const { name, image, volume = { type: "emptyDir" }, owner, labels, podTemplate } = options;
  const { idleMs = hourMs, lifetimeMs = 24 * hourMs } = options;
  return workspaceJob({
    ...{ name, namespace, image, volume, owner, labels, podTemplate, nowMs: Date.now() },
    // A claim of the same name may still be on its way out.
    claimName: `${name}-${randomBytes(3).toString("hex")}`,
    idleSeconds: Math.ceil(idleMs / 1000),
    lifetimeSeconds: Math.ceil(lifetimeMs / 1000),
  });
}

/** Makes the claim that the pod waits for; whoever finds a pod that does not run yet does so, because its maker may be gone. */
async function ensureClaim(cluster: Cluster, job: Job, { volume, signal }: WorkspaceOptions): Promise<void> {
  if (volume?.type !== "claim-template" || !hasOwnClaim(job)) return;
  await createUnlessThere<PersistentVolumeClaim>(cluster, workspaceClaim(job, volume), signal);
}

function isOver({ metadata, status }: Job): boolean {
  const hasEnded = (status?.conditions ?? []).some(({ type, status: holds }) => endings.has(type) && holds === "True");
  return metadata?.deletionTimestamp !== undefined || hasEnded;
}

/** A Job that is about to end is of no more use than one that has. */
const endings: ReadonlySet<string> = new Set(["Complete", "Failed", "SuccessCriteriaMet", "FailureTarget"]);

/** Deletes a Job that is over, and waits until its name is free. */
async function replaceJob(
  cluster: Cluster,
  { metadata }: Job,
  { startTimeoutMs: timeoutMs = defaultStartTimeoutMs, signal }: WorkspaceOptions,
): Promise<void> {
  const { namespace, name = "", uid } = metadata ?? {};
  const kind = { apiVersion: "batch/v1", kind: "Job", namespace };
  await cluster.delete({ ...kind, name }, { signal, ...(uid === undefined ? {} : { preconditions: { uid } }) });
  await cluster.waitFor<Job, true>(kind, {
    ...{ fieldSelector: `metadata.name=${name}`, timeoutMs, signal },
    until: (jobs) => (jobs.some((job) => job.metadata?.uid === uid) ? undefined : true),
  });
}

/** A Job of the same name that somebody else made is not ours to use, nor to delete. */
function checked(job: Job, name: string): Job {
  const labels = job.metadata?.labels ?? {};
  if (Object.entries(workspaceLabels(name)).every(([key, value]) => labels[key] === value)) return job;
  const message = `Job ${job.metadata?.namespace ?? ""}/${name} is not a workspace of Slipway. Choose another name or namespace.`;
  throw new BuilderError({ code: "INVALID_OPTIONS", message, details: { issues: [{ path: "name", message }] } });
}

/** Undefined if the name is taken: somebody else may have been faster. */
async function createUnlessThere<Made extends Job | PersistentVolumeClaim>(
  cluster: Cluster,
  object: Made,
  signal: AbortSignal | undefined,
): Promise<Made | undefined> {
  const { apiStatusOf } = await import("@slipway/cluster");
  try {
    return await cluster.create(object, { signal });
  } catch (error) {
    if (apiStatusOf(error)?.code === 409) return undefined;
    throw error;
  }
}
