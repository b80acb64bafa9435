import { connectCluster, type Cluster, type Job } from "@slipway/cluster";
import {
  invalidOptions,
  parseOptions,
  type BuilderDriver,
  type DriverCall,
  type Feature,
  type OptionIssue,
  type PruneResult,
} from "@slipway/core";

import { buildImage } from "./build-image.ts";
import { driverLabel, expiresAtLabel } from "./build-pod.ts";
import { removeBuild } from "./build-objects.ts";
import { executorOf, isAtLeast } from "./executor-version.ts";
import { foldFlags } from "./fold-flags.ts";
import {
  kanikoBuildOptionsSchema,
  kanikoDriverOptionsSchema,
  type KanikoDriverOptions,
  type ResolvedKanikoDriverOptions,
} from "./kaniko-options.ts";
import { checkAccess } from "./required-rbac.ts";

const buildOptions = { kaniko: kanikoBuildOptionsSchema };

/** Beyond a plain Dockerfile build: nothing. Kaniko has no secrets, no network modes, no further contexts. */
const features: readonly Feature[] = [];

/**
 * Builds with kaniko: a pod for each build, which needs no privileges and is gone afterwards.
 *
 * Its pods need a namespace with Pod Security level `baseline`; the rules that its user needs are `requiredRbac`.
 *
 * @throws BuilderError INVALID_OPTIONS
 */
export function kanikoDriver(options: KanikoDriverOptions = {}) {
  const resolved = resolveOptions(options);
  let connection: Promise<Cluster> | undefined;
  const cluster = async (): Promise<Cluster> => {
    const { kubeconfig, context, namespace } = resolved;
    connection ??= connectCluster({ kubeconfig, context, namespace });
    try {
      return await connection;
    } catch (error) {
      connection = undefined;
      throw error;
    }
  };
  return {
    specificationVersion: "v1",
    name: "kaniko",
    features,
    buildOptions,
    build: async (request, call) => buildImage(await cluster(), resolved, request, call),
    bootstrap: async (call) => checkAccess(await cluster(), call),
    prune: async (_options, call) => removeLeftovers(await cluster(), call),
    [Symbol.asyncDispose]: async () => {
      const open = await connection?.catch(() => undefined);
      await open?.close();
    },
  } satisfies BuilderDriver<typeof buildOptions>;
}

/** What {@link kanikoDriver} returns. */
export type KanikoDriver = ReturnType<typeof kanikoDriver>;

function resolveOptions(options: KanikoDriverOptions): ResolvedKanikoDriverOptions {
  const resolved = parseOptions(kanikoDriverOptionsSchema, options, "kanikoDriver");
  const executor = executorOf(resolved.image, resolved.executor);
  const { issues } = foldFlags(resolved, executor);
  const problems = isAtLeast(executor, oldestExecutor) ? issues : [tooOld(resolved.image), ...issues];
  if (problems.length > 0) throw invalidOptions("kanikoDriver", problems);
  return resolved;
}

/** The first that reads a context from stdin. */
const oldestExecutor = [0, 20, 0] as const;

function tooOld(image: string): OptionIssue {
  const message = `The executor ${image} is older than v${oldestExecutor.join(".")} and cannot read a context from stdin; use a later one`;
  return { path: "image", message };
}

/** Removes what builds of dead processes have left behind and the cluster has not removed: only what has expired, each by its name. */
async function removeLeftovers(cluster: Cluster, { signal }: DriverCall): Promise<PruneResult> {
  const labelSelector = Object.entries(driverLabel)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const jobs = await cluster.list<Job>({ apiVersion: "batch/v1", kind: "Job" }, { labelSelector, signal });
  const nowSeconds = Date.now() / 1000;
  const expired = jobs.items.filter(
    ({ metadata }) => Number(metadata?.labels?.[expiresAtLabel] ?? "Infinity") < nowSeconds,
  );
  const objects = await Promise.all(
    expired.map(async ({ metadata }) => {
      const name = metadata?.name ?? "";
      await removeBuild(cluster, name);
      return name;
    }),
  );
  return { reclaimedBytes: 0, objects };
}
