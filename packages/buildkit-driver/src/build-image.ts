import { hostname } from "node:os";

import type { PreparedContext, ReceivedFilesStore, SolveResponse } from "@slipway/buildkit-client";
import { isConnectionLost } from "@slipway/buildkit-client";
import type { Cluster } from "@slipway/cluster";
import { unlessAborted, type BuildRequest, type DriverBuildResult, type DriverCall } from "@slipway/core";

import { baseImages, possibleBaseImages } from "./base-images.ts";
import { explainFailure } from "./build-failure.ts";
import type { BuilderPod } from "./builder-pods.ts";
import type { RegistryAccess } from "./buildkitd-config.ts";
import type { BuildkitConnection } from "./dial-buildkit.ts";
import { keychainCall } from "./keychain-call.ts";
import { oomKills } from "./oom-kills.ts";
import { guardPod } from "./pod-loss.ts";
import { podRegistries } from "./pod-registries.ts";
import { checkRegistries, usedRepositories, type Preflight } from "./preflight.ts";
import { isExporting, PushProof } from "./push-proof.ts";
import { receivedFilesStore } from "./received-files.ts";
import { pushedReferences } from "./pushed-references.ts";
import { scopedTokens } from "./scoped-tokens.ts";
import { sessionCredentials } from "./session-credentials.ts";
import { sharedKey } from "./shared-key.ts";
import { solveRequest, type SessionAuthorization } from "./solve-request.ts";
import { contextProgress, StatusEvents } from "./status-events.ts";
import { verifyPushed } from "./verify-pushed.ts";

/** Where a build runs, and how the registries are reached from there. */
export interface BuildSite {
  readonly cluster: Cluster;
  readonly target: BuilderPod;
  /** To its daemon. */
  readonly connection: Promise<BuildkitConnection>;
  readonly registries: Readonly<Record<string, RegistryAccess>>;
  /** The walk through the context has begun. */
  readonly context: Promise<PreparedContext | undefined>;
}

/** Builds in a pod that may push; what was pushed counts once the registries serve it. */
export async function buildImage(site: BuildSite, request: BuildRequest, call: DriverCall): Promise<DriverBuildResult> {
  const { cluster, target } = site;
  const { credentials } = call;
  using guard = guardPod(cluster, target.pod, call);
  const signal = AbortSignal.any([call.signal, guard.lost]);
  const keys = keychainCall(cluster, target.name, { ...call, signal });
  await using registries = podRegistries(site, credentials, keys);
  const repositories = async (host: string): Promise<readonly string[]> =>
    usedRepositories(request, await possibleBaseImages(request)).flatMap(({ registry, repository }) =>
      registry === host ? [repository] : [],
    );
  const authorization = {
    credentials: sessionCredentials({ keychain: credentials, keychainCall: keys, repositories }, (host, login) =>
      registries.accepts(host, login),
    ),
    tokens: scopedTokens(credentials, registries, keys, repositories),
  };
  // While the daemon is dialled; it learns nothing of the build before, and nobody learns of steps.
  const allowed = preflight(request, { registries, credentials, keychainCall: keys });
  allowed.catch(() => undefined);
  const { client, answered } = await site.connection;
  if (request.context.type !== "directory") await allowed;
  const isPushed = request.outputs.some(({ type }) => type === "push");
  using proof = new PushProof(() => client.openImageResolver({ ...authorization, signal }));
  const daemon = { client, answered, session: { ...authorization, allowed, received: received(target, request) } };
  const response = await solve(site, daemon, request, {
    ...call,
    signal,
    onExport: isPushed ? () => proof.prepare() : () => undefined,
  });
  const digest = response.exporterResponse["containerimage.digest"];
  const metadata = { ...response.exporterResponse, "slipway.context.wire-bytes": String(wireBytes(response)) };
  if (digest === undefined) return { metadata };
  const references = pushedReferences(request.outputs, request.tags, digest);
  const [platform] = request.platforms;
  await verifyPushed(references, digest, {
    resolve: (reference) => proof.resolve({ reference, platform }),
    registries,
    isMirrored: (registry) => site.registries[registry]?.mirrors !== undefined,
    signal,
  });
  return { digest, metadata };
}

/** A cache that is exported needs the digests of contents, which only a walk makes. */
function received({ pod }: BuilderPod, { context, cacheTo }: BuildRequest): ReceivedFilesStore | undefined {
  const uid = pod.metadata?.uid;
  const key = sharedKey(context, hostname());
  return uid === undefined || key === "" || cacheTo.length > 0 ? undefined : receivedFilesStore(uid, key);
}

function preflight(
  request: BuildRequest,
  access: Pick<Preflight, "registries" | "credentials" | "keychainCall">,
): Promise<void> {
  const images = { baseImages: () => baseImages(request), possibleBaseImages: () => possibleBaseImages(request) };
  return checkRegistries(request, { ...access, ...images });
}

interface Daemon extends BuildkitConnection {
  readonly session: SessionAuthorization & { readonly allowed: Promise<void> };
}

async function solve(
  { cluster, target, context }: BuildSite,
  { client, answered, session }: Daemon,
  request: BuildRequest,
  call: DriverCall & { readonly onExport: () => void },
): Promise<SolveResponse> {
  const { signal, emit, onExport } = call;
  const status = new StatusEvents(emit, session.allowed);
  // Before anything of this build can be killed; without a memory limit nothing is asked.
  const killsBefore = await oomKills(cluster, target.pod, call);
  try {
    return await client.solve(solveRequest(request, hostname(), session, await context), {
      signal,
      onStatus: (update) => {
        if (isExporting(update)) onExport();
        status.update(update);
      },
      onTransfer: (transfer) => {
        const progress = contextProgress(transfer);
        if (progress !== undefined) emit(progress);
      },
    });
  } catch (error) {
    // A daemon that never answered is the reason; that its connection was lost is only how it shows.
    if (isConnectionLost(error)) await unlessAborted(answered, signal);
    throw await explainFailure(error, { cluster, pod: target.pod, killsBefore }, call);
  } finally {
    status.end();
  }
}

function wireBytes(response: SolveResponse): number {
  return response.transfers.reduce((sum, transfer) => sum + transfer.wireBytes, 0);
}
