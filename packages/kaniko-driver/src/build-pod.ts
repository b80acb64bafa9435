import { mergePodTemplate, type Job, type PodTemplateSpec } from "@slipway/cluster";
import type { BuildRequest } from "@slipway/core";

import { mountVolumes } from "./additional-mounts.ts";
import { dockerConfigFolder, filesFolder } from "./executor-arguments.ts";
import { besideWorkspace, contextVolume } from "./context-volume.ts";
import { archiveFolder } from "./image-archives.ts";
import type { ResolvedKanikoDriverOptions } from "./kaniko-options.ts";
import type { Container, PodVolumes } from "./pod-volumes.ts";
import type { ContextMount } from "./workspace-context.ts";

/** The container that builds. */
export const executorContainer = "executor";
/** The container that reaches registries from where the build runs. */
export const helperContainer = "helper";
/** Label of everything that one build has made. */
export const buildIdLabel = "slipway.dev/build-id";
/** Label with the time after which nobody needs an object, in epoch seconds. */
export const expiresAtLabel = "slipway.dev/expires-at";
/** Label of everything that Slipway makes. */
const managedByLabels = { "app.kubernetes.io/managed-by": "slipway" } as const;
/** Label of what this driver makes. */
export const driverLabel = { "slipway.dev/driver": "kaniko" } as const;

/** How long an ended Job of a dead client stays. */
const leftoverSeconds = 5;

/** A registry's credentials, a Dockerfile from elsewhere, certificates: files for one build. */
export interface BuildFiles {
  /** `config.json` for {@link dockerConfigFolder}. */
  readonly dockerConfig?: string | undefined;
  /** By their names in {@link filesFolder}. */
  readonly files: Readonly<Record<string, string>>;
}

/** What decides the pod of a build. */
export interface BuildPodPlan {
  readonly namespace: string;
  /** Of the Job and its Secret. */
  readonly name: string;
  readonly request: Pick<BuildRequest, "id" | "platforms">;
  readonly options: ResolvedKanikoDriverOptions;
  readonly arguments: readonly string[];
  /** Environment that the arguments need. */
  readonly env?: Readonly<Record<string, string>>;
  readonly files: BuildFiles;
  /** Whether the executor leaves archives for the helper to send. */
  readonly withArchives?: boolean;
  /** The context, if it does not come through stdin. */
  readonly context?: ContextMount | undefined;
  /** Whether a registry has to be asked from within the cluster. */
  readonly withHelper: boolean;
  readonly deadlineMs: number;
  readonly nowMs: number;
}

/** The name of what one attempt at a build has: another attempt must not meet what is left of this one. */
export function attemptName(id: string, suffix: string): string {
  return `slipway-kaniko-${id}-${suffix}`;
}

/** The labels of everything that a build has made. */
export function buildLabels(id: string, expiresAtMs: number): Readonly<Record<string, string>> {
  const expiresAt = String(Math.ceil(expiresAtMs / 1000));
  return { ...managedByLabels, ...driverLabel, [buildIdLabel]: id, [expiresAtLabel]: expiresAt };
}

/**
 * The build as one object: a Job, because the cluster then ends it at its deadline and removes it with all that it owns, also when nobody is left to do
 * so. It has one pod and never a second. It is never suspended: the deadline of a suspended Job does not run.
 */
export function buildJob(plan: BuildPodPlan): Job {
  const { namespace, request, deadlineMs, nowMs } = plan;
  const labels = buildLabels(request.id, nowMs + deadlineMs);
  const template = podTemplate(plan);
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: plan.name, namespace, labels },
    spec: {
      activeDeadlineSeconds: Math.ceil(deadlineMs / 1000),
      ttlSecondsAfterFinished: leftoverSeconds,
      backoffLimit: 0,
      template: {
        ...template,
        metadata: { ...template.metadata, labels: { ...template.metadata?.labels, ...labels } },
      },
    },
  };
}

function podTemplate(plan: BuildPodPlan): PodTemplateSpec {
  const { name, options, request, files, withHelper, deadlineMs } = plan;
  const mounts = mountVolumes(options.additionalMounts);
  const own = ownVolumes(name, files);
  const context = contextVolume(plan.context);
  const archives = archiveVolume(plan.withArchives === true);
  const { serviceAccount, tolerations } = options;
  const affinity = besideWorkspace(options.affinity, plan.context);
  const template: PodTemplateSpec = {
    metadata: {
      labels: { ...options.labels },
      annotations: { "cluster-autoscaler.kubernetes.io/safe-to-evict": "false", ...options.annotations },
    },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 1,
      enableServiceLinks: false,
      automountServiceAccountToken: serviceAccount !== undefined,
      ...(serviceAccount === undefined ? {} : { serviceAccountName: serviceAccount }),
      ...(tolerations === undefined ? {} : { tolerations: [...tolerations] }),
      ...(affinity === undefined ? {} : { affinity }),
      nodeSelector: { ...platformSelector(request.platforms[0]), ...options.nodeSelector },
      containers: [
        executor(plan, [
          ...own.volumeMounts,
          ...archives.volumeMounts,
          ...context.volumeMounts,
          ...mounts.volumeMounts,
        ]),
        ...(withHelper ? [helper(options, deadlineMs, archives.volumeMounts)] : []),
      ],
      volumes: [...own.volumes, ...archives.volumes, ...context.volumes, ...mounts.volumes],
    },
  };
  return mergePodTemplate(template, options.podTemplate);
}

/** Kaniko emulates nothing: a platform needs a node of its own kind. */
export function platformSelector(platform: string | undefined): Readonly<Record<string, string>> {
  if (platform === undefined) return {};
  const [os = "linux", architecture = "amd64"] = platform.split("/");
  return { "kubernetes.io/os": os, "kubernetes.io/arch": architecture };
}

/** What `RUN`s of ordinary Dockerfiles need, and no more: chown, package managers, users, file capabilities. */
const capabilities = [
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
];

function executor(
  { options, context, arguments: args, env: needed = {} }: BuildPodPlan,
  volumeMounts: PodVolumes["volumeMounts"],
): Container {
  const { image, command, env, envFrom, resources } = options;
  return {
    name: executorContainer,
    image,
    ...(command === undefined ? {} : { command: [...command] }),
    args: [...args],
    env: [
      ...Object.entries({ ...needed, ...env }).map(([name, value]) => ({ name, value })),
      ...Object.entries(envFrom).map(([name, valueFrom]) => ({ name, valueFrom })),
    ],
    // The end of the upload is the end of stdin; nobody else can write to it afterwards.
    ...(context === undefined ? { stdin: true, stdinOnce: true } : {}),
    resources: {
      ...(resources.requests === undefined ? {} : { requests: resources.requests }),
      ...(resources.limits === undefined ? {} : { limits: resources.limits }),
    },
    securityContext: {
      runAsUser: 0,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"], add: capabilities },
      seccompProfile: { type: "RuntimeDefault" },
    },
    volumeMounts,
  };
}

/** Where the executor leaves archives, and the helper finds them. */
function archiveVolume(isNeeded: boolean): PodVolumes {
  if (!isNeeded) return { volumes: [], volumeMounts: [] };
  return {
    volumes: [{ name: "archives", emptyDir: {} }],
    volumeMounts: [{ name: "archives", mountPath: archiveFolder }],
  };
}

function helper(
  { images, initEnv }: ResolvedKanikoDriverOptions,
  deadlineMs: number,
  volumeMounts: PodVolumes["volumeMounts"],
): Container {
  return {
    name: helperContainer,
    image: images.helper,
    env: Object.entries(initEnv).map(([name, value]) => ({ name, value })),
    command: ["sleep", String(Math.ceil(deadlineMs / 1000))],
    resources: { requests: { cpu: "5m", memory: "8Mi" }, limits: { memory: "64Mi" } },
    volumeMounts,
    securityContext: {
      // Only the executor's own user may read what it leaves.
      ...(volumeMounts.length > 0 ? { runAsUser: 0 } : { runAsUser: 65534, runAsNonRoot: true }),
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    },
  };
}

/** The key of the build's Secret that is the docker configuration. */
export const dockerConfigKey = "config.json";

function ownVolumes(secretName: string, { dockerConfig, files }: BuildFiles): PodVolumes {
  const names = Object.keys(files);
  const folders = [
    ...(dockerConfig === undefined
      ? []
      : [{ name: "docker-config", mountPath: dockerConfigFolder, keys: [dockerConfigKey] }]),
    ...(names.length === 0 ? [] : [{ name: "files", mountPath: filesFolder, keys: names }]),
  ];
  return {
    volumes: folders.map(({ name, keys }) => ({
      name,
      secret: { secretName, defaultMode: 0o400, items: keys.map((key) => ({ key, path: key })) },
    })),
    volumeMounts: folders.map(({ name, mountPath }) => ({ name, mountPath, readOnly: true })),
  };
}
