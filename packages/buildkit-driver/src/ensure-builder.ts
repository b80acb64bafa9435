import type { Cluster, Deployment, Pod } from "@slipway/cluster";
import type { DriverCall } from "@slipway/core";

import type { ResolvedBuildkitDriverOptions } from "./buildkit-options.ts";
import { checkOwner } from "./builder-owner.ts";
import { planBuilder, readyPods } from "./builder-state.ts";
import { checkAccess } from "./required-rbac.ts";
import { waitForBuilder } from "./wait-for-builder.ts";
import { builderDeployment, builderSelector } from "./workload.ts";

/** How long the clean-up after a failed start may take: its signal is its own, since the call's may have fired. */
const undoTimeoutMs = 15_000;

/**
 * Makes the builder what the options say and resolves with its ready pods. If that fails, what this call made is removed again, and a
 * builder that was there is as it was.
 */
export async function ensureBuilder(
  cluster: Cluster,
  namespace: string,
  options: ResolvedBuildkitDriverOptions,
  call: Pick<DriverCall, "signal" | "emit" | "logger">,
): Promise<readonly Pod[]> {
  const wanted = builderDeployment(namespace, options);
  const reference = { apiVersion: "apps/v1", kind: "Deployment", namespace, name: options.name };
  const pods = await cluster.list<Pod>(
    { apiVersion: "v1", kind: "Pod", namespace },
    { labelSelector: builderSelector(options.name), ...call },
  );
  // As many as there shall be, each of the wanted configuration: what their Deployment says makes no difference, and one connection is enough.
  const ready = readyPods(pods.items, wanted);
  if (ready.length === options.replicas) return ready;
  const existing = await cluster.get<Deployment>(reference, call);
  const plan = planBuilder(existing, wanted, pods.items);
  if (plan === "ready") return ready;
  if (existing !== undefined) checkOwner(existing, options.name, namespace);
  if (plan === "wait") return waitForBuilder(cluster, namespace, wanted, options, call);
  await checkAccess(cluster, namespace, call);
  call.logger.debug(`${plan} builder ${namespace}/${options.name}`);
  const applied = await cluster.apply<Deployment>(wanted, call);
  try {
    return await waitForBuilder(cluster, namespace, wanted, options, call);
  } catch (error) {
    await undo(cluster, reference, applied, existing);
    throw error;
  }
}

async function undo(
  cluster: Cluster,
  reference: { apiVersion: string; kind: string; namespace: string; name: string },
  applied: Deployment,
  before: Deployment | undefined,
): Promise<void> {
  const signal = AbortSignal.timeout(undoTimeoutMs);
  if (before === undefined) {
    const uid = applied.metadata?.uid;
    await cluster.delete(reference, { ...(uid === undefined ? {} : { preconditions: { uid } }), signal });
    return;
  }
  const { name, namespace, labels, annotations: all = {} } = before.metadata ?? {};
  // The controller counts revisions there.
  const annotations = Object.fromEntries(
    Object.entries(all).filter(([key]) => !key.startsWith("deployment.kubernetes.io/")),
  );
  const metadata = { name, namespace, labels, annotations } as NonNullable<Deployment["metadata"]>;
  await cluster.apply<Deployment>(
    { apiVersion: "apps/v1", kind: "Deployment", metadata, spec: before.spec } as Deployment,
    { signal },
  );
}
