import type { PodTemplate } from "@slipway/cluster";
import { helperImage, helperImagesSchema, parseOptions, type HelperImages, type OptionsShape } from "@slipway/core";
import * as z from "zod/mini";

import type { RegistryAccess } from "./buildkitd-config.ts";

/** Amounts by resource name, in Kubernetes notation: `{ cpu: "500m", memory: "2Gi" }`. */
export type ResourceAmounts = Readonly<Record<string, string>>;

/** Where the builder lives and what it is made of. */
export interface BuildkitDriverOptions {
  /** Name of the Deployment. @defaultValue `"slipway"` */
  name?: string | undefined;
  /** Path of a kubeconfig file. @defaultValue as kubectl: `KUBECONFIG`, `~/.kube/config`, then the pod's service account */
  kubeconfig?: string | undefined;
  /** Context of the kubeconfig. @defaultValue its current one */
  context?: string | undefined;
  /** Namespace of the builder; it must exist. @defaultValue the context's */
  namespace?: string | undefined;
  /** Image of buildkitd. @defaultValue `moby/buildkit` at the release that the tests run, its `-rootless` variant with `rootless` */
  image?: string | undefined;
  /** Images for clusters that pull from elsewhere: the map, or its registry, that every driver takes. @defaultValue the public ones */
  images?: HelperImages | undefined;
  /** Pods that build. @defaultValue 1 */
  replicas?: number | undefined;
  /** Run buildkitd as uid 1000 without privileges. @defaultValue `false` */
  rootless?: boolean | undefined;
  /** How buildkitd reaches registries, by `host[:port]`. */
  registries?: Readonly<Record<string, RegistryAccess>> | undefined;
  /** Requests and limits of the buildkitd container. */
  resources?:
    { readonly requests?: ResourceAmounts | undefined; readonly limits?: ResourceAmounts | undefined } | undefined;
  /** Merged into the pod, as `kubectl patch` merges: affinity, tolerations, volumes, labels and whatever else a pod has. */
  podTemplate?: PodTemplate | undefined;
  /** How a build chooses among the pods: always the same one for a context, or any. @defaultValue `"sticky"` */
  loadBalance?: "sticky" | "random" | undefined;
  /** How long a pod may take to become ready. @defaultValue 120000 */
  startTimeoutMs?: number | undefined;
  /** How long a pod may stay unschedulable before that is an error: time for an autoscaler to add a node. @defaultValue 3000 */
  unschedulableGraceMs?: number | undefined;
}

/** The BuildKit release that the tests run; from 0.13 on everything that the driver needs is there. */
const buildkitVersion = "v0.32.2";

const text = z.optional(z.string().check(z.minLength(1)));
const flag = z.optional(z.boolean());
const milliseconds = z.int().check(z.nonnegative());
const amounts = z.optional(z.record(z.string(), z.string()));
const name = z
  .string()
  .check(
    z.maxLength(52),
    z.regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/, "needs lower-case letters, digits and dashes, as a Deployment's name does"),
  );
const certificate = z
  .string()
  .check(z.startsWith("-----BEGIN CERTIFICATE-----", "needs the PEM text of a certificate"));

const registryAccessSchema = z.strictObject({
  http: flag,
  insecure: flag,
  ca: z.optional(certificate),
  mirrors: z.optional(z.readonly(z.array(z.string()))),
  nodeAddress: text,
} satisfies OptionsShape<RegistryAccess>);

const buildkitDriverOptionsSchema = z.strictObject({
  name: z._default(name, "slipway"),
  kubeconfig: text,
  context: text,
  namespace: text,
  image: text,
  images: z._default(helperImagesSchema, {}),
  replicas: z._default(z.int().check(z.minimum(1)), 1),
  rootless: z._default(z.boolean(), false),
  registries: z._default(z.record(z.string(), registryAccessSchema), {}),
  resources: z._default(z.strictObject({ requests: amounts, limits: amounts }), {}),
  podTemplate: z._default(
    z.custom<PodTemplate>((value: unknown) => typeof value === "object" && value !== null),
    {},
  ),
  loadBalance: z._default(z.enum(["sticky", "random"]), "sticky"),
  startTimeoutMs: z._default(milliseconds, 120_000),
  unschedulableGraceMs: z._default(milliseconds, 3000),
} satisfies OptionsShape<BuildkitDriverOptions>);

/** {@link BuildkitDriverOptions} with the defaults filled in. */
export type ResolvedBuildkitDriverOptions = z.output<typeof buildkitDriverOptionsSchema> & { readonly image: string };

/**
 * Parses {@link BuildkitDriverOptions}.
 *
 * @throws BuilderError INVALID_OPTIONS
 */
export function resolveBuildkitDriverOptions(options: BuildkitDriverOptions): ResolvedBuildkitDriverOptions {
  const parsed = parseOptions(buildkitDriverOptionsSchema, options, "buildkitDriver");
  const { rootless, images } = parsed;
  const published = `docker.io/moby/buildkit:${buildkitVersion}${rootless ? "-rootless" : ""}`;
  return {
    ...parsed,
    image: parsed.image ?? helperImage(images, rootless ? "buildkitRootless" : "buildkit", published),
  };
}
