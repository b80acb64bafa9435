import type { ClientRequest, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

import { BuilderError } from "@slipway/core";
import type { WebSocket } from "ws";

import type { Credentials } from "../auth/credentials.ts";
import { abortError, orAborted } from "../connection/abort-error.ts";
import { readBody } from "../rest/api-client.ts";
import type { ApiConnection, ClusterCall } from "../rest/api-client.ts";
import { apiError, unreachable } from "../rest/api-error.ts";
import type { ApiAction } from "../rest/api-error.ts";
import { withQuery } from "../rest/api-resource.ts";
import type { ApiQuery } from "../rest/api-resource.ts";
import { parseApiStatus } from "../rest/api-status.ts";
import type { ApiStatus } from "../rest/api-status.ts";

/** A WebSocket to ask the API server for. */
export interface StreamRequest {
  readonly path: string;
  readonly query: ApiQuery;
  /** Best first. */
  readonly protocols: readonly string[];
  readonly action: ApiAction;
}

const handshakeTimeoutMs = 30_000;
const largestMessageBytes = 64 * 1024 * 1024;

/** A WebSocket, and the connection below it. */
export interface StreamSocket {
  readonly socket: WebSocket;
  readonly connection: Duplex;
}

/** The server has closed the connection of an earlier call at the moment when it was taken over: the request was not carried out. */
class StaleConnection extends Error {}

class UpgradeRefused extends Error {
  readonly status: ApiStatus;

  constructor(status: ApiStatus) {
    super(status.message);
    this.status = status;
  }
}

async function openOnce(
  connection: ApiConnection,
  request: StreamRequest,
  credentials: Credentials,
  signal: AbortSignal | undefined,
): Promise<StreamSocket> {
  const { url, pool } = connection;
  const path = url.pathname.replace(/\/$/, "") + withQuery(request.path, request.query);
  const { WebSocket: Socket } = await import("ws");
  let upgrade: ClientRequest | undefined;
  // TLS is below, and the agent's connections all lead to the API server: it keeps them under the name of a request without a host.
  const socket = new Socket(`ws://localhost${path}`, [...request.protocols], {
    agent: pool.forStream(credentials.certificate),
    headers: { host: url.host, "user-agent": "slipway", ...(credentials.headers as Record<string, string>) },
    perMessageDeflate: false,
    skipUTF8Validation: true,
    maxPayload: largestMessageBytes,
    finishRequest: (outgoing: ClientRequest) => (upgrade = outgoing).end(),
    // ws skips a mask of zeros; see `putFrameHeader`.
    generateMask: (mask: Buffer) => void mask.fill(0),
  });
  // The time limit of ws is that of the connection, which the agent's limit for idle ones hides from node:http.
  const timer = setTimeout(() => {
    socket.emit("error", new Error(`no answer within ${handshakeTimeoutMs / 1000} s`));
    socket.terminate();
  }, handshakeTimeoutMs);
  const onAbort = (): void => socket.terminate();
  signal?.addEventListener("abort", onAbort, { once: true });
  const settled = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  };
  return new Promise<StreamSocket>((resolve, reject) => {
    let connectionBelow: Duplex | undefined;
    socket.once("unexpected-response", (_: ClientRequest, response: IncomingMessage) => {
      // The connection is ended below, and must not be given to another call before.
      response.socket.emit("agentRemove");
      const refuse = (body: string): void => reject(new UpgradeRefused(parseApiStatus(response.statusCode ?? 0, body)));
      readBody(response)
        .then(refuse, () => refuse(""))
        .finally(() => socket.terminate());
    });
    socket.once("upgrade", (response) => (connectionBelow = response.socket));
    // Stays: terminate() during the handshake emits an error.
    socket.on("error", (error: NodeJS.ErrnoException) => {
      const isReset = error.code === "ECONNRESET" || error.code === "EPIPE";
      reject(isReset && upgrade?.reusedSocket === true ? new StaleConnection(error.message, { cause: error }) : error);
    });
    socket.once("open", () => {
      // The first frames may be here already: nothing is read before the caller listens.
      socket.pause();
      if (connectionBelow) resolve({ socket, connection: connectionBelow });
    });
  }).finally(settled);
}

/**
 * Opens a WebSocket to the API server. It is paused: attach handlers, then call `resume()`.
 *
 * @throws BuilderError, with the reason of the API server if it refused
 */
export async function openStreamSocket(
  connection: ApiConnection,
  request: StreamRequest,
  call: ClusterCall,
): Promise<StreamSocket> {
  const { signal } = call;
  let credentials = await orAborted(connection.credentials.get(), signal);
  for (let renewed = false; ;) {
    const opening = openOnce(connection, request, credentials, signal);
    try {
      return await orAborted(opening, signal);
    } catch (error) {
      if (signal?.aborted) {
        opening.then(
          ({ socket }) => socket.terminate(),
          () => undefined,
        );
        throw abortError(signal);
      }
      if (error instanceof StaleConnection) {
        // With none to take over, the next is a new one.
        connection.pool.dropIdle();
        continue;
      }
      if (!(error instanceof UpgradeRefused)) {
        throw BuilderError.isInstance(error) ? error : unreachable(connection.server, error);
      }
      const replacement =
        error.status.code === 401 && !renewed
          ? await orAborted(connection.credentials.replace(credentials), signal)
          : undefined;
      if (!replacement) throw apiError(error.status, request.action, connection);
      credentials = replacement;
      renewed = true;
    }
  }
}
