import { createHash, randomBytes } from "node:crypto";
import { gunzipSync } from "node:zlib";

import type { ClusterCall } from "@slipway/cluster";
import { BuilderError, type AnyBuilderError } from "@slipway/core";

import { compressed } from "../archive/compressed.ts";
import { escapePattern } from "../archive/pack-context.ts";
import { prependedEntry, type PrependedFile } from "../archive/tar-chunks.ts";
import { resolveRoot } from "../context-root.ts";
import { contextManifest, type ManifestOptions } from "../manifest/context-manifest.ts";
import { runInPod, syncFailed, type PodTarget } from "./run-in-pod.ts";
import { syncArchive, unpackEntries, type SyncedEntry } from "./sync-archive.ts";
import { compressionPays } from "./sync-compression.ts";
import { knownEntries, planSync, type KnownEntries, type SyncPlan } from "./sync-plan.ts";
import {
  abandonScript,
  commitScript,
  contentDiffers,
  leaseScript,
  mountedSuffix,
  mountPath,
  readScript,
  receiveScript,
  releaseScript,
  versionGone,
} from "./workspace-scripts.ts";

/** Which context to sync. */
export interface SyncOptions extends ManifestOptions {
  /**
   * Contexts of the same name replace each other; clients with different contexts need different names.
   *
   * @defaultValue made of the context's path
   */
  readonly name?: string | undefined;
  /** Further files, such as a Dockerfile from elsewhere, in the place of those of the context. @defaultValue none */
  readonly prepend?: readonly PrependedFile[] | undefined;
  /** For how long nobody deletes the version unless it is released, in milliseconds. @defaultValue 7200000 */
  readonly leaseMs?: number | undefined;
  /**
   * Whether the lease keeps the workspace too, also when nobody is left. If not, the workspace ends when nobody has renewed the lease or synced for its
   * `idleMs`, and its claim stays for as long as a pod mounts it. Renew such a lease every third of `idleMs`, and every minute: who does not is taken for gone.
   *
   * @defaultValue true
   */
  readonly keepsWorkspace?: boolean | undefined;
  /** Told how many bytes of this attempt have left so far, compressed or not. */
  readonly onProgress?: ((sentBytes: number) => void) | undefined;
}

/** A context in the workspace. It does not change any more, and stays until it is released or its lease ends. */
export interface WorkspaceVersion {
  /** Folder that holds the context, seen from the workspace's pod. */
  readonly path: string;
  /** The same folder, seen from the volume: for a `subPath`. */
  readonly subPath: string;
  /** Of names, types, modes, targets and contents, hexadecimal: that of {@link contextManifest} without `prepend`. */
  readonly sha256: string;
  readonly files: number;
  readonly totalBytes: number;
  readonly sentFiles: number;
  /** That crossed the network, compressed or not. */
  readonly sentBytes: number;
  /**
   * Begins the lease anew, and tells the workspace that somebody is still there.
   *
   * @throws BuilderError: `CONTEXT_SYNC_FAILED` if the version is gone; `POD_LOST` if the workspace's pod is
   */
  renew(call?: ClusterCall): Promise<void>;
  /** Lets the next sync reuse its files. */
  release(call?: ClusterCall): Promise<void>;
}

/** The newest version of a context, as this client knows it. */
export interface KnownVersion {
  readonly id: string;
  readonly entries: KnownEntries;
}

const attempts = 4;
/** A sync that was interrupted begins anew. A full disk may have room again, once: what nobody uses was deleted since. */
const attemptsOf: Readonly<Record<string, number>> = { CONTEXT_SYNC_FAILED: 4, CLUSTER_UNREACHABLE: 4, DISK_FULL: 2 };
const abandonMs = 10_000;
const defaultLeaseMs = 2 * 3_600_000;
const contextsKeptMinutes = 7 * 24 * 60;

/**
 * Brings a context to a workspace: asks what is there, sends what differs, checks what has arrived, and makes a new version of both at once.
 *
 * @param known - versions by the name of their context, for the next sync
 */
export async function syncContext(
  target: PodTarget,
  root: string,
  options: SyncOptions,
  known: Map<string, KnownVersion>,
): Promise<WorkspaceVersion> {
  const { signal } = options;
  const resolved = resolveRoot(root);
  const key = createHash("sha256")
    .update(options.name ?? resolved)
    .digest("hex")
    .slice(0, 32);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const version = await syncOnce(target, resolved, key, options, known);
      if (version !== undefined) return version;
      if (attempt >= attempts) throw syncFailed(`Other clients keep on replacing context ${key}. Sync again.`, 0);
    } catch (error) {
      const failure = BuilderError.from(error);
      if (attempt >= (attemptsOf[failure.code] ?? 1) || signal?.aborted || !failure.retryable) throw final(failure);
    }
    known.delete(key);
  }
}

/** A disk that is still full after all that nobody uses was deleted stays full: a build need not be tried again. */
function final(failure: AnyBuilderError): AnyBuilderError {
  const { code, message, details, cause } = failure;
  return code === "DISK_FULL" ? new BuilderError({ code, message, details, cause, retryable: false }) : failure;
}

/** Resolves with undefined if another client was faster with the version that this one builds upon. */
async function syncOnce(
  target: PodTarget,
  root: string,
  key: string,
  options: SyncOptions,
  known: Map<string, KnownVersion>,
): Promise<WorkspaceVersion | undefined> {
  const { signal, leaseMs = defaultLeaseMs, keepsWorkspace = true, onProgress } = options;
  // Its end is told by the pod's clock, which the next sync will ask.
  const leaseName = `${randomBytes(8).toString("hex")}${keepsWorkspace ? "" : mountedSuffix}`;
  const lease = { name: leaseName, seconds: String(Math.ceil(leaseMs / 1000)) };
  const takeLease = async (id: string, call?: ClusterCall): Promise<boolean> => {
    const { exitCode } = await runInPod(target, leaseScript, [mountPath, id, lease.name, lease.seconds, key], call);
    return exitCode === 0;
  };
  const [{ base, takesGzip }, { entries, sha256, totalBytes }] = await Promise.all([
    readBase(target, key, known.get(key), signal),
    syncedEntries(root, options),
  ]);
  const plan = planSync(entries, base?.entries ?? new Map());
  const counts = { files: 0, totalBytes: 0 };
  const version = (id: string, sentBytes: number): WorkspaceVersion => {
    known.set(key, { id, entries: knownEntries(entries) });
    const subPath = `versions/${id}/context`;
    const release = async (call?: ClusterCall): Promise<void> => {
      await runInPod(target, releaseScript, [mountPath, id, lease.name], call);
    };
    const renew = async (call?: ClusterCall): Promise<void> => {
      if (!(await takeLease(id, call))) throw syncFailed(`Version ${id} is gone. Sync again.`, 0);
    };
    const counted = { files: entries.length, totalBytes, sentFiles: plan.sent.length, sentBytes };
    return { path: `${mountPath}/${subPath}`, subPath, sha256, ...counted, renew, release };
  };
  if (base !== undefined && plan.sent.length === 0 && plan.removed.length === 0) {
    return (await takeLease(base.id, { signal })) ? version(base.id, 0) : undefined;
  }
  const sync = randomBytes(8).toString("hex");
  const abandon = async (error: unknown): Promise<never> => {
    const argv = [mountPath, sync, String(contextsKeptMinutes)];
    // The signal has fired, if there was one.
    await runInPod(target, abandonScript, argv, { signal: AbortSignal.timeout(abandonMs) }).catch(() => undefined);
    throw error;
  };
  const isCompressed = takesGzip && compressionPays(root, plan.sent);
  const sending = { root, entries, plan, sync, counts, isCompressed, onProgress };
  const sentBytes = await send(target, sending, signal).catch(abandon);
  const id = `${sha256.slice(0, 16)}-${sync}`;
  const committed = [mountPath, sync, key, base?.id ?? "-", id, lease.name, lease.seconds, String(contextsKeptMinutes)];
  const { exitCode, output } = await runInPod(target, commitScript, committed, { signal });
  if (exitCode === 0 && output.toString().endsWith("committed\n")) return version(id, sentBytes);
  if (exitCode === versionGone) return undefined;
  const said = output.toString().trim().slice(-1000);
  const what = exitCode === contentDiffers ? "has other content than was announced" : "cannot be put together";
  return await abandon(unpackFailed(target, `The context ${what}: ${said}`, sentBytes, true));
}

async function syncedEntries(
  root: string,
  options: SyncOptions,
): Promise<{ readonly entries: readonly SyncedEntry[]; readonly sha256: string; readonly totalBytes: number }> {
  const { name: _name, leaseMs: _leaseMs, keepsWorkspace: _keeps, onProgress: _onProgress, ...scanned } = options;
  const { prepend = [], exclude = [], ...manifestOptions } = scanned;
  const exceptPrepended = [...exclude, ...prepend.map(({ path }) => escapePattern(path))];
  const manifest = await contextManifest(root, { ...manifestOptions, exclude: exceptPrepended });
  const first = prepend.map(prependedEntry).map((entry): SyncedEntry => {
    const { content = "" } = entry;
    return { ...entry, sha256: createHash("sha256").update(content).digest("hex") };
  });
  return {
    entries: [...first, ...manifest.entries],
    sha256: manifest.sha256,
    totalBytes: first.reduce((sum, { size }) => sum + size, manifest.totalBytes),
  };
}

async function readBase(
  target: PodTarget,
  key: string,
  known: KnownVersion | undefined,
  signal: AbortSignal | undefined,
): Promise<NewestVersion> {
  const { output } = await runInPod(target, readScript, [mountPath, key, known?.id ?? "-"], { signal });
  const end = output.indexOf("\n");
  const line = output.subarray(0, Math.max(end, 0)).toString();
  const [, what = "", id, gzip] = /^(none|known|version ([0-9a-f-]+))( gzip)?$/.exec(line) ?? [];
  const takesGzip = gzip !== undefined;
  if (what === "known") return { base: known, takesGzip };
  if (id === undefined) return { base: undefined, takesGzip };
  try {
    const entries = unpackEntries(gunzipSync(output.subarray(end + 1)).toString());
    return { base: { id, entries }, takesGzip };
  } catch {
    // What is not known in full is sent in full.
    return { base: undefined, takesGzip };
  }
}

/** What a workspace has of a context. */
interface NewestVersion {
  readonly base: KnownVersion | undefined;
  /** Whether its pod can read gzip. */
  readonly takesGzip: boolean;
}

interface Sending {
  readonly root: string;
  readonly entries: readonly SyncedEntry[];
  readonly plan: SyncPlan<SyncedEntry>;
  readonly sync: string;
  readonly counts: { files: number; totalBytes: number };
  readonly isCompressed: boolean;
  readonly onProgress: SyncOptions["onProgress"];
}

async function send(
  { cluster, namespace, pod }: PodTarget,
  { root, entries, plan, sync, counts, isCompressed, onProgress }: Sending,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { sendVerified } = await import("@slipway/cluster");
  const archive = syncArchive(root, entries, plan, counts);
  const upload = await sendVerified(
    cluster,
    {
      namespace,
      pod,
      command: ["sh", "-c", receiveScript, mountPath, sync, isCompressed ? "-xzpf" : "-xpf"],
      source: counted(isCompressed ? compressed(archive, "gzip") : archive, onProgress),
    },
    { signal },
  );
  if (upload.exitCode === 0) return upload.sizeBytes;
  const said = upload.output.trim().slice(-1000);
  const reason = `The context cannot be unpacked (exit code ${upload.exitCode}): ${said}`;
  throw unpackFailed({ namespace, pod }, reason, upload.sizeBytes, false);
}

async function* counted(source: AsyncIterable<Buffer>, onProgress: SyncOptions["onProgress"]): AsyncIterable<Buffer> {
  let sentBytes = 0;
  for await (const chunk of source) {
    yield chunk;
    sentBytes += chunk.length;
    onProgress?.(sentBytes);
  }
}

/** A full disk has a code of its own. */
function unpackFailed(
  { namespace, pod }: Omit<PodTarget, "cluster">,
  reason: string,
  sentBytes: number,
  retryable: boolean,
): BuilderError {
  const message = `${reason.trim()} (pod ${namespace}/${pod}).`;
  if (!/no space left|disk quota exceeded/i.test(reason)) return syncFailed(message, sentBytes, retryable);
  return new BuilderError({
    code: "DISK_FULL",
    message: `${message} Release versions, or give the workspace a larger volume.`,
    details: { namespace, pod, events: [] },
    retryable: true,
  });
}
