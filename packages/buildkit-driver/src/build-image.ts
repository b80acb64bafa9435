import { hostname } from "node:os";

import type { SolveResponse, StatusUpdate } from "@slipway/buildkit-client";
import type { Cluster } from "@slipway/cluster";
import type { BuildRequest, DriverBuildResult, DriverCall, KeychainCall } from "@slipway/core";
import { parseImageReference } from "@slipway/registry-client";

import { explainFailure } from "./build-failure.ts";
import type { BuilderPod } from "./builder-pods.ts";
import type { RegistryAccess } from "./buildkitd-config.ts";
import { dialFromPod } from "./dial-from-pod.ts";
import { oomKills } from "./oom-kills.ts";
import { guardPod } from "./pod-loss.ts";
import { PreparedDial } from "./prepared-dial.ts";
import { pushedReferences } from "./pushed-references.ts";
import { secretReader } from "./read-secret.ts";
import { sessionCredentials } from "./session-credentials.ts";
import { solveRequest } from "./solve-request.ts";
import { contextProgress, StatusEvents } from "./status-events.ts";
import { verifyPushed } from "./verify-pushed.ts";

/** Where a build runs, and how the registries are reached from there. */
export interface BuildSite {
  readonly cluster: Cluster;
  readonly target: BuilderPod;
  readonly registries: Readonly<Record<string, RegistryAccess>>;
}

/** Builds in a pod; what was pushed counts once the registries serve it. */
export async function buildImage(site: BuildSite, request: BuildRequest, call: DriverCall): Promise<DriverBuildResult> {
  const { cluster, target, registries } = site;
  const { credentials } = call;
  using guard = guardPod(cluster, target.pod, call);
  const signal = AbortSignal.any([call.signal, guard.lost]);
  const readSecret = secretReader(cluster, cluster.namespace, signal);
  const pod = { namespace: cluster.namespace, name: target.name };
  using registryDial = new PreparedDial((dialSignal, url) => dialFromPod(cluster, pod, url, dialSignal));
  const prepare = (): void => {
    const url = pushAddress(request, registries);
    if (url !== undefined) registryDial.prepare(signal, url);
  };
  const response = await solve(site, request, { ...call, signal }, { readSecret, onExport: prepare });
  const digest = response.exporterResponse["containerimage.digest"];
  const metadata = { ...response.exporterResponse, "slipway.context.wire-bytes": String(wireBytes(response)) };
  if (digest === undefined) return { metadata };
  const references = pushedReferences(request.outputs, request.tags, digest);
  await verifyPushed(references, digest, { dial: registryDial.dial, registries, credentials, readSecret, signal });
  return { digest, metadata };
}

interface SolveServices {
  readonly readSecret: NonNullable<KeychainCall["readSecret"]>;
  /** Called once, when the layers are done and the image is about to be made and pushed. */
  readonly onExport: () => void;
}

async function solve(
  { cluster, target }: BuildSite,
  request: BuildRequest,
  call: DriverCall,
  { readSecret, onExport }: SolveServices,
): Promise<SolveResponse> {
  const { signal, emit } = call;
  const credentials = sessionCredentials(call.credentials, { signal, readSecret });
  const status = new StatusEvents(emit);
  // Before anything of this build can be killed; without a memory limit nothing is asked.
  const killsBefore = await oomKills(cluster, target.pod, call);
  let exporting = false;
  try {
    return await target.client.solve(solveRequest(request, hostname(), credentials), {
      signal,
      onStatus: (update) => {
        if (!exporting && isExporting(update)) onExport();
        exporting ||= isExporting(update);
        status.update(update);
      },
      onTransfer: (transfer) => {
        const progress = contextProgress(transfer);
        if (progress !== undefined) emit(progress);
      },
    });
  } catch (error) {
    throw await explainFailure(error, { cluster, pod: target.pod, killsBefore }, call);
  } finally {
    status.end();
  }
}

function isExporting({ vertices }: StatusUpdate): boolean {
  return vertices.some(({ name, startedMs }) => name === "exporting to image" && startedMs !== undefined);
}

/** Where the first of the tags is pushed to; most builds push to one registry. */
function pushAddress(
  { outputs, tags }: BuildRequest,
  registries: Readonly<Record<string, RegistryAccess>>,
): URL | undefined {
  const [tag] = tags;
  if (tag === undefined || !outputs.some(({ type }) => type === "push")) return undefined;
  const { registry } = parseImageReference(tag);
  return new URL(`${registries[registry]?.http === true ? "http" : "https"}://${registry}/`);
}

function wireBytes(response: SolveResponse): number {
  return response.transfers.reduce((sum, transfer) => sum + transfer.wireBytes, 0);
}
