import { setInterval } from "node:timers/promises";

import { mergePodTemplate, type Cluster, type PodTemplate } from "@slipway/cluster";
import { openWorkspace, type Workspace, type WorkspaceVersion } from "@slipway/context-sync";
import type { DriverCall } from "@slipway/core";

import type { KanikoBuildRequest } from "./build-plan.ts";
import { driverLabel, platformSelector } from "./build-pod.ts";
import { contextFolder } from "./context-folder.ts";
import type { ResolvedKanikoDriverOptions } from "./kaniko-options.ts";
import type { ResolvedWorkspace } from "./workspace-options.ts";

/** A context that a pod mounts, and which does not change while it does. */
export interface ContextMount {
  readonly claimName: string;
  /** Of the context on the volume. */
  readonly subPath: string;
  /** Labels of the pod on whose node the volume is; undefined if it can be mounted anywhere. */
  readonly beside?: Readonly<Record<string, string>> | undefined;
}

/** A context in the workspace, held for one build. */
export interface WorkspaceContext extends AsyncDisposable {
  readonly mount: ContextMount;
  readonly sentBytes: number;
}

/** A build may wait for its pod, and the cluster counts from then on. */
const leaseSlackMs = 300_000;
/** A volume may have to be made first. */
const claimGraceMs = 10_000;
const releaseTimeoutMs = 10_000;
/** How often a client has a chance to say that it is there, before the workspace takes it for gone. */
const renewalsPerIdleTime = 3;
/** So that `prune` can tell who is gone, however long the workspace may be idle. */
const mostRenewalMs = 60_000;

/**
 * Brings the context of a build to its workspace, of which only what has changed is sent.
 *
 * @throws BuilderError CONTEXT_INVALID, CONTEXT_SYNC_FAILED, DISK_FULL; what hinders the workspace's pod, such as UNSCHEDULABLE
 */
export async function syncToWorkspace(
  cluster: Cluster,
  options: ResolvedKanikoDriverOptions,
  settings: ResolvedWorkspace,
  request: KanikoBuildRequest,
  call: DriverCall,
): Promise<WorkspaceContext> {
  const { signal, emit } = call;
  const workspace = await startWorkspace(cluster, options, settings, request, call);
  const { root, exclude } = contextFolder(request);
  const version = await workspace.sync(root, {
    ...{ exclude, signal, leaseMs: options.startTimeoutMs + options.deadlineMs + leaseSlackMs },
    // Who is killed leaves a lease that outlives the build's pod. The workspace does not wait for that: what the pod has mounted stays even so.
    keepsWorkspace: false,
    onProgress: (sentBytes) => {
      emit({ ...progress, files: 0, sentFiles: 0, totalBytes: 0, sentBytes });
    },
  });
  const { files, sentFiles, totalBytes, sentBytes, subPath } = version;
  emit({ ...progress, files, sentFiles, totalBytes, sentBytes });
  const left = new AbortController();
  void keepRenewed(version, Math.min(settings.idleMs / renewalsPerIdleTime, mostRenewalMs), call, left.signal);
  const isShared = settings.accessMode === "ReadWriteMany";
  return {
    mount: {
      claimName: workspace.claimName ?? "",
      subPath,
      beside: isShared ? undefined : { "slipway.dev/workspace": workspaceName(settings, request) },
    },
    sentBytes,
    [Symbol.asyncDispose]: () => {
      left.abort();
      return release(version, call);
    },
  };
}

const progress = { type: "context-progress", context: "context" } as const;

type Platforms = Pick<KanikoBuildRequest, "platforms">;

/** Finds the workspace of builds for these platforms, or starts it. @throws BuilderError: what hinders its pod */
export function startWorkspace(
  cluster: Cluster,
  options: ResolvedKanikoDriverOptions,
  settings: ResolvedWorkspace,
  request: Platforms,
  { signal }: Pick<DriverCall, "signal">,
): Promise<Workspace> {
  const { claimName, size, storageClass, accessMode, idleMs, lifetimeMs } = settings;
  return openWorkspace(cluster, {
    name: workspaceName(settings, request),
    image: options.images.helper,
    volume:
      claimName === undefined
        ? { type: "claim-template", size, storageClass, accessMode }
        : { type: "claim", claimName },
    labels: driverLabel,
    podTemplate: workspacePodTemplate(options, settings, request),
    startTimeoutMs: options.startTimeoutMs,
    unschedulableGraceMs: Math.max(options.unschedulableGraceMs, claimGraceMs),
    ...{ idleMs, lifetimeMs, signal },
  });
}

/** Nodes of another architecture need a volume of their own, which is where they are. */
function workspaceName({ name }: ResolvedWorkspace, { platforms: [platform] }: Platforms): string {
  const architecture = platform?.split("/")[1];
  return architecture === undefined ? name : `${name}-${architecture}`;
}

/** What decides where a pod runs, and by whose leave. */
const schedulingKeys = [
  "nodeSelector",
  "tolerations",
  "affinity",
  "schedulerName",
  "priorityClassName",
  "imagePullSecrets",
  "serviceAccountName",
];

/** The pod of the workspace has to be where the pods of builds may be. It has their account, for its pull secrets, but no token. */
export function workspacePodTemplate(
  options: ResolvedKanikoDriverOptions,
  settings: ResolvedWorkspace,
  { platforms }: Platforms,
): PodTemplate {
  const { nodeSelector, tolerations, affinity, labels = {}, annotations = {}, initEnv, podTemplate } = options;
  const { serviceAccount: serviceAccountName } = options;
  const spec = {
    nodeSelector: { ...platformSelector(platforms[0]), ...nodeSelector },
    ...(tolerations === undefined ? {} : { tolerations }),
    ...(affinity === undefined ? {} : { affinity }),
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
  };
  const env = Object.entries(initEnv).map(([name, value]) => ({ name, value }));
  const containers = env.length === 0 ? {} : { containers: [{ name: "workspace", env }] };
  const merged = mergePodTemplate(
    { metadata: { labels, annotations }, spec: { ...spec, ...containers } },
    { spec: schedulingOf(podTemplate) },
  );
  return mergePodTemplate(merged, settings.podTemplate);
}

function schedulingOf({ spec = {} }: PodTemplate): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(spec).filter(([key]) => schedulingKeys.includes(key)));
}

/** Keeps the workspace while this process builds from it. A renewal that fails is followed by another one. */
async function keepRenewed(
  version: WorkspaceVersion,
  intervalMs: number,
  { logger }: DriverCall,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const _ of setInterval(intervalMs, undefined, { signal, ref: false }))
      await version.renew({ signal }).catch((error: unknown) => {
        if (!signal.aborted) logger.debug("A build could not tell its workspace that it is there.", { error });
      });
  } catch {
    // The build is over.
  }
}

/** Has a time of its own: the call's signal may have fired. A version that is not let go is, once its lease has ended. */
async function release(version: WorkspaceVersion, { logger }: DriverCall): Promise<void> {
  const { subPath } = version;
  try {
    await version.release({ signal: AbortSignal.timeout(releaseTimeoutMs) });
  } catch (error) {
    logger.debug("The workspace keeps the context of a build until its lease ends.", { subPath, error });
  }
}
