import { hostname } from "node:os";

import type { PreparedContext, SolveResponse, BuildSession } from "@slipway/buildkit-client";
import { isConnectionLost } from "@slipway/buildkit-client";
import type { Cluster } from "@slipway/cluster";
import type { BuildRequest, DriverBuildResult, DriverCall } from "@slipway/core";

import { explainFailure } from "./build-failure.ts";
import type { BuilderPod } from "./builder-pods.ts";
import type { RegistryAccess } from "./buildkitd-config.ts";
import { dialFromPod } from "./dial-from-pod.ts";
import { oomKills } from "./oom-kills.ts";
import { guardPod } from "./pod-loss.ts";
import { pushedReferences } from "./pushed-references.ts";
import { secretReader } from "./read-secret.ts";
import { sessionCredentials } from "./session-credentials.ts";
import { solveRequest } from "./solve-request.ts";
import { contextProgress, StatusEvents } from "./status-events.ts";
import { untilAborted } from "./until-aborted.ts";
import { verifyPushed } from "./verify-pushed.ts";

/** Where a build runs, and how the registries are reached from there. */
export interface BuildSite {
  readonly cluster: Cluster;
  readonly target: BuilderPod;
  readonly registries: Readonly<Record<string, RegistryAccess>>;
  /** The walk through the context has begun. */
  readonly context?: PreparedContext | undefined;
}

/** Builds in a pod; what was pushed counts once the registries serve it. */
export async function buildImage(site: BuildSite, request: BuildRequest, call: DriverCall): Promise<DriverBuildResult> {
  const { cluster, target, registries } = site;
  const { credentials } = call;
  using guard = guardPod(cluster, target.pod, call);
  const signal = AbortSignal.any([call.signal, guard.lost]);
  const readSecret = secretReader(cluster, cluster.namespace, signal);
  const pod = { namespace: cluster.namespace, name: target.name };
  const forSession = sessionCredentials(credentials, { signal, readSecret });
  const response = await solve(site, request, { ...call, signal }, forSession);
  const digest = response.exporterResponse["containerimage.digest"];
  const metadata = { ...response.exporterResponse, "slipway.context.wire-bytes": String(wireBytes(response)) };
  if (digest === undefined) return { metadata };
  const references = pushedReferences(request.outputs, request.tags, digest);
  const [platform] = request.platforms;
  await verifyPushed(references, digest, {
    resolve: (reference) => target.client.resolveImage({ reference, platform, credentials: forSession }, { signal }),
    dial: (dialSignal, url) => dialFromPod(cluster, pod, url, dialSignal),
    ...{ registries, credentials, readSecret, signal },
  });
  return { digest, metadata };
}

async function solve(
  { cluster, target, context }: BuildSite,
  request: BuildRequest,
  call: DriverCall,
  credentials: BuildSession["credentials"],
): Promise<SolveResponse> {
  const { signal, emit } = call;
  const status = new StatusEvents(emit);
  // Before anything of this build can be killed; without a memory limit nothing is asked.
  const killsBefore = await oomKills(cluster, target.pod, call);
  try {
    return await target.client.solve(solveRequest(request, hostname(), credentials, context), {
      signal,
      onStatus: (update) => status.update(update),
      onTransfer: (transfer) => {
        const progress = contextProgress(transfer);
        if (progress !== undefined) emit(progress);
      },
    });
  } catch (error) {
    // A daemon that never answered is the reason; that its connection was lost is only how it shows.
    if (isConnectionLost(error)) await untilAborted(target.answered, signal);
    throw await explainFailure(error, { cluster, pod: target.pod, killsBefore }, call);
  } finally {
    status.end();
  }
}

function wireBytes(response: SolveResponse): number {
  return response.transfers.reduce((sum, transfer) => sum + transfer.wireBytes, 0);
}
