import type { Duplex } from "node:stream";

import type { CacheRecord, DaemonCall, DaemonInfo, PruneCacheOptions, WorkerInfo } from "./daemon-info.ts";
import type { ImageResolver, ImageResolverOptions } from "./solve/resolve-image.ts";
import type { SolveCall, SolveRequest, SolveResponse } from "./solve/solve-request.ts";

/**
 * A BuildKit daemon at the other end of a stream. Calls run side by side on one connection; when it is lost each of them fails with an
 * error for which `isConnectionLost` holds. What the daemon refuses outside a build is a `GrpcStatusError`.
 */
export interface BuildkitClient extends AsyncDisposable {
  /** Version of the daemon. */
  info(call?: DaemonCall): Promise<DaemonInfo>;
  /** What the daemon builds with, and for which platforms. */
  listWorkers(call?: DaemonCall): Promise<readonly WorkerInfo[]>;
  /** The records of the daemon's cache. */
  diskUsage(call?: DaemonCall): Promise<readonly CacheRecord[]>;
  /** Returns the records that are gone. */
  prune(options?: PruneCacheOptions, call?: DaemonCall): Promise<readonly CacheRecord[]>;
  /**
   * Builds. Once the signal fires, the daemon is told, and the call settles when it has confirmed.
   *
   * @throws `BUILD_FAILED` with step, exit code and place in the Dockerfile; `CONTEXT_INVALID`; `REGISTRY_UNAUTHORIZED`,
   * `REGISTRY_UNAVAILABLE`, `REGISTRY_REFUSED`; `ABORTED`; what a callback of the session threw if that was a `BuilderError`.
   */
  solve(request: SolveRequest, call?: SolveCall): Promise<SolveResponse>;
  /** Asks registries by way of the daemon; ready at once when it was opened a little before the first question. */
  openImageResolver(options: ImageResolverOptions): ImageResolver;
  /** Resolves when the daemon has answered for the first time; rejects as {@link connectBuildkit} does. */
  readonly answered: Promise<void>;
  /** Resolves when the connection is gone, with the reason unless it was `close()`. */
  readonly closed: Promise<Error | undefined>;
  /** Ends the connection; calls that run fail. */
  close(): Promise<void>;
}

/** How to connect. */
export interface ConnectBuildkitOptions {
  /** Gives up waiting for the daemon's first answer; it does not end the connection later. */
  readonly signal?: AbortSignal | undefined;
  /** Does not wait for that answer: calls go out with the first bytes, which saves a round trip. @defaultValue false */
  readonly eager?: boolean | undefined;
}

/**
 * Speaks HTTP/2 with prior knowledge over a stream of raw bytes that ends at buildkitd: a socket, `buildctl dial-stdio` in a pod. It
 * resolves when the daemon has answered. The stream belongs to the client from then on.
 *
 * @param stream - May be a promise.
 * @throws an error for which `isConnectionLost` holds when the stream ends first; only its owner knows why
 */
export async function connectBuildkit(
  stream: Duplex | Promise<Duplex>,
  options: ConnectBuildkitOptions = {},
): Promise<BuildkitClient> {
  // While the stream is dialled there is time to load the code.
  const [dialled, { openClient }] = await Promise.all([keepQuiet(stream), import("./open-client.ts")]);
  const client = openClient(dialled, options);
  if (options.eager !== true) await client.answered;
  return client;
}

/** A stream may break while the code loads; the channel finds it destroyed then. */
async function keepQuiet(stream: Duplex | Promise<Duplex>): Promise<Duplex> {
  return (await stream).on("error", () => undefined);
}
