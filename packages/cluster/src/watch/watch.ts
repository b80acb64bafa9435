import type { IncomingMessage } from "node:http";

import { BuilderError } from "@slipway/core";

import { abortError, delay } from "../connection/abort-error.ts";
import { createBackoff } from "../connection/backoff.ts";
import { orIdle, readLines } from "../connection/lines.ts";
import { connectionLost } from "../rest/api-error.ts";
import { apiStatusOf } from "../rest/api-status.ts";
import type { KubernetesObject, ResourceReference } from "../rest/kubernetes-object.ts";
import type { ListOptions, ListResult } from "../rest/resource-client.ts";
import { createKnownObjects } from "./known-objects.ts";
import type { WatchEvent } from "./known-objects.ts";

export type { WatchEvent } from "./known-objects.ts";

/** What to watch, and from when on. */
export interface WatchOptions<T extends KubernetesObject> extends ListOptions {
  /** A list to go on from: only what has changed since is told. @defaultValue none: what is there comes first, as `ADDED` */
  readonly from?: ListResult<T> | undefined;
  /**
   * A version to go on from, without knowing what was there: every object is new at its first event, and one that was deleted while the
   * version had expired is not told. Prefer `from`.
   */
  readonly resourceVersion?: string | undefined;
  /**
   * After so long without a word the watch is opened anew, in case the connection is half-open. The API server sends a bookmark about
   * every minute.
   *
   * @defaultValue 90000
   */
  readonly idleTimeoutMs?: number | undefined;
  /** How long the API server itself keeps one watch open. @defaultValue 300000 */
  readonly serverTimeoutMs?: number | undefined;
  /** For how long the API server may be unreachable before the watch fails. @defaultValue 60000 */
  readonly giveUpAfterMs?: number | undefined;
}

/** How a watch talks to the API server. */
export interface WatchSource<T extends KubernetesObject> {
  readonly server: string;
  list(options: ListOptions): Promise<ListResult<T>>;
  /** The connection was silently dead; others may be. */
  dropIdle(): void;
  open(query: Readonly<Record<string, string>>, options: ListOptions): Promise<IncomingMessage>;
}

interface WatchLine<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: T;
}

/** The version has expired: only a list helps (HTTP 410, or the same inside the stream). */
class VersionExpired extends Error {}

function isExpired(error: unknown): boolean {
  const status = apiStatusOf(error);
  return error instanceof VersionExpired || status?.code === 410 || status?.reason === "Expired";
}

function parseLine<T>(line: Buffer): WatchLine<T> {
  const parsed = JSON.parse(line.toString("utf8")) as WatchLine<T>;
  if (parsed.type !== "ERROR") return parsed;
  const { code, reason, message } = parsed.object as { code?: number; reason?: string; message?: string };
  if (code === 410 || reason === "Expired" || reason === "Gone") throw new VersionExpired(message);
  throw new Error(`the API server ended the watch: ${message ?? reason ?? "no reason given"}`);
}

/** Ends of the connection are routine; what the API server refuses is not. */
function isFatal(error: unknown): boolean {
  if (!BuilderError.isInstance(error)) return false;
  return error.code !== "CLUSTER_UNREACHABLE";
}

/**
 * Follows objects through lost connections, silence, and versions that have expired: then it lists again and tells the difference, so
 * that whoever follows always ends up with the state of the cluster.
 *
 * @throws BuilderError from the iteration: ABORTED once the signal fires, CLUSTER_UNREACHABLE, FORBIDDEN and the like
 */
export async function* watchObjects<T extends KubernetesObject>(
  source: WatchSource<T>,
  resource: ResourceReference,
  options: WatchOptions<T>,
): AsyncGenerator<WatchEvent<T>> {
  const { signal, idleTimeoutMs = 90_000, serverTimeoutMs = 300_000, giveUpAfterMs = 60_000 } = options;
  const known = createKnownObjects<T>();
  if (options.from) known.reconcile(options.from.items);
  let resourceVersion = options.from?.resourceVersion ?? options.resourceVersion;
  const backoff = createBackoff();
  // Silence is none: a watch of what does not change is silent for as long as it works.
  let failingSinceMs: number | undefined;

  while (true) {
    if (signal?.aborted) throw abortError(signal);
    let response: IncomingMessage | undefined;
    try {
      if (resourceVersion === undefined) {
        const list = await source.list(options);
        failingSinceMs = undefined;
        resourceVersion = list.resourceVersion;
        yield* known.reconcile(list.items);
      }
      const timeoutSeconds = String(Math.ceil(serverTimeoutMs / 1000));
      response = await source.open(
        { watch: "true", allowWatchBookmarks: "true", resourceVersion, timeoutSeconds },
        options,
      );
      failingSinceMs = undefined;
      for await (const line of readLines(orIdle(response, idleTimeoutMs, () => source.dropIdle()))) {
        const { type, object } = parseLine<T>(line);
        backoff.reset();
        resourceVersion = object.metadata?.resourceVersion ?? resourceVersion;
        if (type === "BOOKMARK" || type === "ERROR") continue;
        const event = known.accept({
          type,
          object: { apiVersion: resource.apiVersion, kind: resource.kind, ...object },
        });
        if (event) yield event;
      }
    } catch (error) {
      if (signal?.aborted) throw abortError(signal);
      if (isExpired(error)) {
        resourceVersion = undefined;
        continue;
      }
      if (isFatal(error)) throw error;
      failingSinceMs ??= performance.now();
      if (performance.now() - failingSinceMs > giveUpAfterMs) {
        throw BuilderError.isInstance(error)
          ? error
          : connectionLost(source.server, `watch of ${resource.kind}`, error);
      }
    } finally {
      response?.destroy();
    }
    await delay(backoff.nextMs(), signal);
  }
}
