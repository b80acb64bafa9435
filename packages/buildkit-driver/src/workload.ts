import { createHash } from "node:crypto";

import { mergePodTemplate, type Deployment, type PodTemplateSpec } from "@slipway/cluster";

import type { ResolvedBuildkitDriverOptions } from "./buildkit-options.ts";
import { configFolder, configPath, renderBuildkitdFiles, type BuildkitdFiles } from "./buildkitd-config.ts";

/** The container that builds; a sidecar of the `podTemplate` may stand beside it. */
export const buildkitContainer = "buildkitd";

/** Annotation of the pods: which configuration they run. */
export const configHashAnnotation = "slipway.dev/config-hash";

/** Label of everything that Slipway makes. */
export const managedByLabels = { "app.kubernetes.io/managed-by": "slipway" } as const;

/** Annotations with this prefix are the configuration's files. */
const filePrefix = "file.slipway.dev/";

/** The labels that select a builder's pods. */
export function builderLabels(name: string): Readonly<Record<string, string>> {
  return { ...managedByLabels, "slipway.dev/builder": name };
}

/** The label selector of a builder's pods. */
export function builderSelector(name: string): string {
  return Object.entries(builderLabels(name))
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}

/**
 * The builder as one object. buildkitd's configuration travels in annotations of the pod, which a downward API volume shows as files:
 * a ConfigMap would be a second object that can be missing, stale or left behind.
 */
export function builderDeployment(namespace: string, options: ResolvedBuildkitDriverOptions): Deployment {
  const labels = builderLabels(options.name);
  const template = mergePodTemplate(
    podTemplate(options, renderBuildkitdFiles(options.registries)),
    options.podTemplate,
  );
  const hash = createHash("sha256").update(JSON.stringify(template)).digest("hex").slice(0, 16);
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: options.name, namespace, labels, annotations: { [configHashAnnotation]: hash } },
    spec: {
      replicas: options.replicas,
      selector: { matchLabels: labels },
      // A change that does not start, for example for its image, must not cost the builder that was there.
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        ...template,
        metadata: {
          ...template.metadata,
          labels: { ...template.metadata?.labels, ...labels },
          annotations: { ...template.metadata?.annotations, [configHashAnnotation]: hash },
        },
      },
    },
  };
}

function podTemplate(options: ResolvedBuildkitDriverOptions, files: BuildkitdFiles): PodTemplateSpec {
  const { socket, state } = paths(options.rootless);
  const sandbox = options.rootless ? ["--oci-worker-no-process-sandbox"] : [];
  const command = ["buildctl", "debug", "workers"];
  return {
    metadata: {
      labels: {},
      annotations: {
        "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
        ...Object.fromEntries(Object.entries(files).map(([name, text]) => [filePrefix + name, text])),
      },
    },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      containers: [
        {
          name: buildkitContainer,
          image: options.image,
          args: ["--addr", socket, "--config", configPath, ...sandbox],
          // `buildctl dial-stdio` and the probes find the daemon by this.
          env: [{ name: "BUILDKIT_HOST", value: socket }],
          resources: resources(options.resources),
          securityContext: securityContext(options.rootless),
          startupProbe: { exec: { command }, periodSeconds: 1, failureThreshold: 600, timeoutSeconds: 10 },
          readinessProbe: { exec: { command }, periodSeconds: 15, timeoutSeconds: 10 },
          volumeMounts: [
            { name: "state", mountPath: state },
            { name: "config", mountPath: configFolder, readOnly: true },
          ],
        },
      ],
      volumes: [
        { name: "state", emptyDir: {} },
        { name: "config", downwardAPI: { items: Object.keys(files).map(fileItem) } },
      ],
    },
  };
}

function resources({ requests, limits }: ResolvedBuildkitDriverOptions["resources"]) {
  return { ...(requests === undefined ? {} : { requests }), ...(limits === undefined ? {} : { limits }) };
}

function fileItem(path: string): { path: string; fieldRef: { fieldPath: string } } {
  return { path, fieldRef: { fieldPath: `metadata.annotations['${filePrefix}${path}']` } };
}

function paths(rootless: boolean): { socket: string; state: string } {
  return rootless
    ? { socket: "unix:///run/user/1000/buildkit/buildkitd.sock", state: "/home/user/.local/share/buildkit" }
    : { socket: "unix:///run/buildkit/buildkitd.sock", state: "/var/lib/buildkit" };
}

/** Rootless needs the system calls that make namespaces and mounts, which the default seccomp and AppArmor profiles refuse. */
function securityContext(rootless: boolean): object {
  if (!rootless) return { privileged: true };
  return {
    runAsUser: 1000,
    runAsGroup: 1000,
    seccompProfile: { type: "Unconfined" },
    appArmorProfile: { type: "Unconfined" },
  };
}
