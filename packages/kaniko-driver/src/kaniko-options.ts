import type { PodTemplate } from "@slipway/cluster";
import { helperImage, helperImagesSchema, parseOptions, type HelperImages, type OptionsShape } from "@slipway/core";
import { isImageReference, parseImageReference } from "@slipway/registry-client";
import * as z from "zod/mini";

import { additionalMountSchema, type AdditionalMount } from "./additional-mounts.ts";
import { podTemplateSchema } from "./pod-template-schema.ts";
import { workspaceSchema, type KanikoWorkspace } from "./workspace-options.ts";

/** Amounts by resource name, in Kubernetes notation: `{ cpu: "500m", memory: "2Gi" }`. */
export type ResourceAmounts = Readonly<Record<string, string>>;

/** How kaniko reaches one registry. */
export interface RegistryAccess {
  /** Speak plain HTTP. @defaultValue `false` */
  readonly http?: boolean | undefined;
  /** Do not check the registry's certificate. @defaultValue `false` */
  readonly insecure?: boolean | undefined;
  /** PEM certificates of the authorities that sign the registry's certificate. */
  readonly ca?: string | undefined;
}

/** Layers that other builds have made, kept in a repository. */
export interface KanikoCache {
  /** @defaultValue `true` */
  readonly enabled?: boolean | undefined;
  /**
   * `registry/repository`, without a tag or digest: kaniko adds the tag of each layer. A build that may not push there fails.
   * @defaultValue `<repository of the first tag>/cache`; where that may not be pushed to, layers are not kept, and a warning says so
   */
  readonly repository?: string | undefined;
  /** How long a layer may be used, as Go writes durations: `6h`, `90m`. @defaultValue `336h` */
  readonly ttl?: string | undefined;
  /** Keep layers of `COPY` too. @defaultValue `false` */
  readonly copyLayers?: boolean | undefined;
  /** Keep layers of `RUN`. @defaultValue `true` */
  readonly runLayers?: boolean | undefined;
  /** Compress layers in memory; `false` needs less of it. @defaultValue `true` */
  readonly compressed?: boolean | undefined;
  /** Folder of the pod with base images that kaniko's warmer has put there. A build with `pull` leaves it alone. */
  readonly directory?: string | undefined;
}

/** How one build is done; what `kaniko` in the options of a build says goes before what the driver was given. */
export interface KanikoBuildOptions {
  readonly cache?: KanikoCache | undefined;
  /**
   * How kaniko finds what a step has changed: by everything (`full`), by time and size (`redo`), by time alone (`time`), which misses changes of owner.
   * @defaultValue `"full"`
   */
  readonly snapshotMode?: "full" | "redo" | "time" | undefined;
  /** Find what a `RUN` has changed without comparing the whole file system; experimental. @defaultValue `false` */
  readonly useNewRun?: boolean | undefined;
  /** One layer for the whole stage. @defaultValue `false` */
  readonly singleSnapshot?: boolean | undefined;
  /** Leave times out of the image. @defaultValue `false` */
  readonly reproducible?: boolean | undefined;
  /** Clean the file system of the pod when the build is done. @defaultValue `false` */
  readonly cleanup?: boolean | undefined;
  /** @defaultValue `"info"` */
  readonly verbosity?: "panic" | "fatal" | "error" | "warn" | "info" | "debug" | "trace" | undefined;
  /** Flags of the executor, in either form. One that an option stands for is read as that option, and wins over it. */
  readonly args?: readonly string[] | undefined;
  /** Hand on flags that the executor's version is not known to have. @defaultValue `false` */
  readonly allowUnknownFlags?: boolean | undefined;
}

/** Where builds run, and what their pods are made of. */
export interface KanikoDriverOptions extends KanikoBuildOptions {
  /** Path of a kubeconfig file. @defaultValue as kubectl: `KUBECONFIG`, `~/.kube/config`, then the pod's service account */
  readonly kubeconfig?: string | undefined;
  /** Context of the kubeconfig. @defaultValue its current one */
  readonly context?: string | undefined;
  /** Namespace of the pods; it must exist. @defaultValue the context's */
  readonly namespace?: string | undefined;
  /** Image of the executor. @defaultValue that of `images`, else `gcr.io/kaniko-project/executor` at the release that the tests run */
  readonly image?: string | undefined;
  /** Which flags the image has, where its name does not tell. @defaultValue by the name of the image */
  readonly executor?:
    | {
        readonly flavour?: "google" | "osscontainertools" | "chainguard" | undefined;
        /** Such as `v1.24.0`. */
        readonly version?: string | undefined;
      }
    | undefined;
  /**
   * Images for clusters that pull from elsewhere: the map, or its registry, that every driver takes. This one runs `kaniko`, and `helper` beside it when a
   * registry is one that only the cluster reaches or an archive has to be fetched. @defaultValue the public ones
   */
  readonly images?: HelperImages | undefined;
  /** Keep contexts in the cluster, so that only what has changed is sent. @defaultValue contexts go through the stdin of the executor */
  readonly workspace?: KanikoWorkspace | undefined;
  /** How kaniko reaches registries, by `host[:port]`. */
  readonly registries?: Readonly<Record<string, RegistryAccess>> | undefined;
  /** Plain HTTP to any registry: `true` for both, or where. @defaultValue `false` */
  readonly insecure?: boolean | readonly ("push" | "pull")[] | undefined;
  /** Check no registry's certificate: `true` for both, or where. @defaultValue `false` */
  readonly skipTlsVerify?: boolean | readonly ("push" | "pull")[] | undefined;
  /** `host[:port][/path]` of registries that are asked before Docker Hub. */
  readonly registryMirrors?: readonly string[] | undefined;
  /** Secret of the namespace whose credentials are tried first, for pull and push. */
  readonly pullSecret?: string | undefined;
  /** Files of Secrets and ConfigMaps for the build. */
  readonly additionalMounts?: readonly AdditionalMount[] | undefined;
  /** Requests and limits of the executor. */
  readonly resources?:
    { readonly requests?: ResourceAmounts | undefined; readonly limits?: ResourceAmounts | undefined } | undefined;
  readonly nodeSelector?: Readonly<Record<string, string>> | undefined;
  /** As in a pod. */
  readonly tolerations?: readonly object[] | undefined;
  /** As in a pod. */
  readonly affinity?: object | undefined;
  /** Of the pods, that of the workspace included. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Of the pods, that of the workspace included; those of Slipway stay. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Name of the account of the pods; if it is given, the pods of builds have its token, and that of the workspace has not. @defaultValue the namespace's `default` */
  readonly serviceAccount?: string | undefined;
  /** Environment of the executor. It ends up in nobody's image, but everybody who may read pods sees it. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Environment of the executor from elsewhere: `valueFrom` of a pod's environment by name, such as `{ secretKeyRef: { name, key } }`. */
  readonly envFrom?: Readonly<Record<string, object>> | undefined;
  /** Environment of the containers beside the executor: of the helper, and of the one that brings the context. */
  readonly initEnv?: Readonly<Record<string, string>> | undefined;
  /** Command of the executor in place of the image's. */
  readonly command?: readonly string[] | undefined;
  /** Merged into the pod, as `kubectl patch` merges. */
  readonly podTemplate?: PodTemplate | undefined;
  /** After so long a build is ended by the cluster, also when this process is gone. @defaultValue 3600000 */
  readonly deadlineMs?: number | undefined;
  /** How long a pod may take to start. @defaultValue 120000 */
  readonly startTimeoutMs?: number | undefined;
  /** How long a pod may stay unschedulable before that is an error: time for an autoscaler to add a node. @defaultValue 5000 */
  readonly unschedulableGraceMs?: number | undefined;
}

const text = z.optional(z.string().check(z.minLength(1)));
const flag = z.optional(z.boolean());
const texts = z.optional(z.readonly(z.array(z.string().check(z.minLength(1)))));
const named = z.optional(z.record(z.string(), z.string()));
const milliseconds = z.int().check(z.nonnegative());
const directions = z._default(
  z.union([z.boolean(), z.readonly(z.array(z.enum(["push", "pull"])))], {
    error: 'Must be a boolean, or a list of "push" and "pull"',
  }),
  false,
);
const object = z.custom<object>((value: unknown) => typeof value === "object" && value !== null, "Must be an object");
const certificate = z
  .string()
  .check(z.startsWith("-----BEGIN CERTIFICATE-----", "needs the PEM text of a certificate"));
const duration = z
  .string()
  .check(z.regex(/^(\d+(\.\d+)?(h|m|s|ms))+$/, "needs a duration as Go writes it, such as 6h or 90m"));

const repository = z.string().check(
  z.minLength(1),
  z.refine((text) => !hasTag(text), {
    error: "needs a repository without a tag or digest, such as registry/repository",
  }),
);

/** What is no reference at all is refused where it is used. */
function hasTag(text: string): boolean {
  if (!isImageReference(text)) return false;
  const { tag, digest } = parseImageReference(text);
  return tag !== undefined || digest !== undefined;
}

const registryAccessSchema = z.strictObject({
  http: flag,
  insecure: flag,
  ca: z.optional(certificate),
} satisfies OptionsShape<RegistryAccess>);

const cacheSchema = z.strictObject({
  enabled: flag,
  repository: z.optional(repository),
  ttl: z.optional(duration),
  copyLayers: flag,
  runLayers: flag,
  compressed: flag,
  directory: text,
} satisfies OptionsShape<KanikoCache>);

const buildShape = {
  cache: z.optional(cacheSchema),
  snapshotMode: z.optional(z.enum(["full", "redo", "time"])),
  useNewRun: flag,
  singleSnapshot: flag,
  reproducible: flag,
  cleanup: flag,
  verbosity: z.optional(z.enum(["panic", "fatal", "error", "warn", "info", "debug", "trace"])),
  args: texts,
  allowUnknownFlags: flag,
} satisfies OptionsShape<KanikoBuildOptions>;

/** The schema of {@link KanikoBuildOptions}, the key `kaniko` of a build. */
export const kanikoBuildOptionsSchema = z.strictObject(buildShape) as unknown as z.ZodMiniType<
  KanikoBuildOptions,
  KanikoBuildOptions
>;

/** The schema of {@link KanikoDriverOptions}. */
export const kanikoDriverOptionsSchema = z.strictObject({
  ...buildShape,
  kubeconfig: text,
  context: text,
  namespace: text,
  image: text,
  executor: z._default(
    z.strictObject({
      flavour: z.optional(z.enum(["google", "osscontainertools", "chainguard"])),
      version: z.optional(z.string().check(z.regex(/^v?\d+\.\d+\.\d+$/, "needs a version such as v1.24.0"))),
    }),
    {},
  ),
  images: z._default(helperImagesSchema, {}),
  workspace: z.optional(workspaceSchema),
  registries: z._default(z.record(z.string(), registryAccessSchema), {}),
  insecure: directions,
  skipTlsVerify: directions,
  registryMirrors: z._default(z.readonly(z.array(z.string().check(z.minLength(1)))), []),
  pullSecret: text,
  additionalMounts: z._default(z.readonly(z.array(additionalMountSchema)), []),
  resources: z._default(z.strictObject({ requests: named, limits: named }), {}),
  nodeSelector: named,
  tolerations: z.optional(z.readonly(z.array(object))),
  affinity: z.optional(object),
  annotations: named,
  labels: named,
  serviceAccount: text,
  env: z._default(z.record(z.string(), z.string()), {}),
  envFrom: z._default(z.record(z.string(), object), {}),
  initEnv: z._default(z.record(z.string(), z.string()), {}),
  command: texts,
  podTemplate: podTemplateSchema,
  deadlineMs: z._default(milliseconds.check(z.minimum(1000)), 3_600_000),
  startTimeoutMs: z._default(milliseconds, 120_000),
  unschedulableGraceMs: z._default(milliseconds, 5000),
} satisfies OptionsShape<KanikoDriverOptions>);

/** {@link KanikoDriverOptions} with the defaults filled in. */
export type ResolvedKanikoDriverOptions = Omit<z.output<typeof kanikoDriverOptionsSchema>, "image" | "images"> & {
  readonly image: string;
  readonly images: { readonly helper: string };
};

/**
 * Parses {@link KanikoDriverOptions}.
 *
 * @throws BuilderError INVALID_OPTIONS
 */
export function resolveKanikoDriverOptions(options: KanikoDriverOptions): ResolvedKanikoDriverOptions {
  const parsed = parseOptions(kanikoDriverOptionsSchema, options, "kanikoDriver");
  const executor = helperImage(parsed.images, "kaniko", "gcr.io/kaniko-project/executor:v1.24.0");
  const helper = helperImage(parsed.images, "helper", "docker.io/library/busybox:1.37");
  return { ...parsed, image: parsed.image ?? executor, images: { helper } };
}
