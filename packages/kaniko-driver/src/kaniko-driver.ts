import { connectCluster, type Cluster } from "@slipway/cluster";
import { invalidOptions, type BuilderDriver, type DriverCall, type OptionIssue } from "@slipway/core";

import { buildImage } from "./build-image.ts";
import { executorOf } from "./executor-version.ts";
import { foldAsked } from "./fold-asked.ts";
import { foldFlags } from "./fold-flags.ts";
import { lackingOptions } from "./lacking-options.ts";
import { features, limitations } from "./kaniko-features.ts";
import {
  kanikoBuildOptionsSchema,
  resolveKanikoDriverOptions,
  type KanikoDriverOptions,
  type ResolvedKanikoDriverOptions,
} from "./kaniko-options.ts";
import { removeLeftovers } from "./remove-leftovers.ts";
import { checkAccess } from "./required-rbac.ts";
import { startWorkspace } from "./workspace-context.ts";
import { stdinProblem, workspaceOf, type ResolvedWorkspace } from "./workspace-options.ts";

const buildOptions = { kaniko: kanikoBuildOptionsSchema };

/**
 * Builds with kaniko: a pod for each build, which needs no privileges and is gone afterwards.
 *
 * Its pods need a namespace with Pod Security level `baseline`; the rules that its user needs are `requiredRbac`, and `workspaceRbac`
 * for contexts in a workspace.
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
    limitations,
    buildOptions,
    foldOptions: (given, { kaniko }) =>
      foldAsked(
        given,
        [...(resolved.args ?? []), ...(kaniko.args ?? [])],
        executorOf(resolved.image, resolved.executor),
      ),
    build: async (request, call) => buildImage(await cluster(), resolved, request, call),
    bootstrap: async (call) => bootstrap(await cluster(), resolved, call),
    prune: async (pruneOptions, call) => removeLeftovers(await cluster(), pruneOptions, call),
    find: async (query, call) => {
      const [{ findInRegistry }, open] = await Promise.all([import("./image-presence.ts"), cluster()]);
      return findInRegistry(open, resolved, query, call);
    },
    identify: async (request, _call, identifyOptions) => {
      const { identifyBuild } = await import("./identify-build.ts");
      return identifyBuild(request, resolved, identifyOptions);
    },
    recordIdentity: async (image, call) => {
      const [{ recordInRegistry }, open] = await Promise.all([import("./image-presence.ts"), cluster()]);
      await recordInRegistry(open, resolved, image, call);
    },
    [Symbol.asyncDispose]: async () => {
      const open = await connection?.catch(() => undefined);
      await open?.close();
    },
  } satisfies BuilderDriver<typeof buildOptions>;
}

/** What {@link kanikoDriver} returns. */
export type KanikoDriver = ReturnType<typeof kanikoDriver>;

function resolveOptions(options: KanikoDriverOptions): ResolvedKanikoDriverOptions {
  const resolved = resolveKanikoDriverOptions(options);
  const executor = executorOf(resolved.image, resolved.executor);
  const { issues, options: folded } = foldFlags(resolved, executor);
  const unread = keptIn(resolved) === undefined ? stdinProblem(resolved.image, executor) : undefined;
  const problems = [
    ...(unread === undefined ? [] : [withoutWorkspace(unread)]),
    ...issues,
    // The labels of a driver are those of its pods.
    ...lackingOptions({ ...folded, labels: {} }, executor),
  ];
  if (problems.length > 0) throw invalidOptions("kanikoDriver", problems);
  return resolved;
}

/** The workspace that contexts come from, if they do. */
function keptIn({ workspace, image, executor }: ResolvedKanikoDriverOptions): ResolvedWorkspace | undefined {
  return workspaceOf(workspace, executorOf(image, executor));
}

async function bootstrap(cluster: Cluster, options: ResolvedKanikoDriverOptions, call: DriverCall): Promise<void> {
  const workspace = keptIn(options);
  await checkAccess(cluster, workspace !== undefined, call);
  if (workspace !== undefined) await startWorkspace(cluster, options, workspace, { platforms: [] }, call);
}

function withoutWorkspace(problem: string): OptionIssue {
  return { path: "workspace.enabled", message: `${problem}; leave this out, or use a later one` };
}
