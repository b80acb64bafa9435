import type { ClientRequest, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

import { BuilderError } from "@slipway/core";
import type { WebSocket } from "ws";

import type { Credentials } from "../auth/credentials.ts";
import { abortError, orAborted } from "../connection/abort-error.ts";
import type { Dialer } from "../connection/dialer.ts";
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

/** {@link ApiConnection}, and the way to open connections that are not pooled. */
export interface StreamConnection extends ApiConnection {
  readonly dialer: Dialer;
}

const handshakeTimeoutMs = 30_000;
const largestMessageBytes = 64 * 1024 * 1024;

/** A WebSocket, and the connection below it. */
export interface StreamSocket {
  readonly socket: WebSocket;
  readonly connection: Duplex;
}

class UpgradeRefused extends Error {
  readonly status: ApiStatus;

  constructor(status: ApiStatus) {
    super(status.message);
    this.status = status;
  }
}

async function openOnce(
  connection: StreamConnection,
  request: StreamRequest,
  credentials: Credentials,
): Promise<StreamSocket> {
  const { WebSocket: Socket } = await import("ws");
  const { url, dialer } = connection;
  const isTls = url.protocol === "https:";
  const path = url.pathname.replace(/\/$/, "") + withQuery(request.path, request.query);
  let below: Duplex | undefined;
  const options = {
    headers: { "user-agent": "slipway", ...(credentials.headers as Record<string, string>) },
    perMessageDeflate: false,
    skipUTF8Validation: true,
    maxPayload: largestMessageBytes,
    handshakeTimeout: handshakeTimeoutMs,
    // ws skips a mask of zeros; see `putFrameHeader`.
    generateMask: (mask: Buffer) => void mask.fill(0),
    createConnection: (_: unknown, callback: (error: Error | null, socket?: Duplex) => void): undefined => {
      dialer.dial(credentials.certificate).then(
        (dialed) => {
          below = dialed;
          callback(null, dialed);
        },
        (error: unknown) => callback(error as Error),
      );
      return undefined;
    },
  };
  return new Promise((resolve, reject) => {
    const socket = new Socket(
      `${isTls ? "wss" : "ws"}://${url.host}${path}`,
      [...request.protocols],
      options as unknown as ConstructorParameters<typeof Socket>[2],
    );
    socket.once("unexpected-response", (_: ClientRequest, response: IncomingMessage) => {
      const refuse = (body: string): void => reject(new UpgradeRefused(parseApiStatus(response.statusCode ?? 0, body)));
      readBody(response)
        .then(refuse, () => refuse(""))
        .finally(() => socket.terminate());
    });
    // Stays: terminate() during the handshake emits an error.
    socket.on("error", reject);
    socket.once("open", () => {
      // The first frames may be here already: nothing is read before the caller listens.
      socket.pause();
      if (below) resolve({ socket, connection: below });
    });
  });
}

/**
 * Opens a WebSocket to the API server. It is paused: attach handlers, then call `resume()`.
 *
 * @throws BuilderError, with the reason of the API server if it refused
 */
export async function openStreamSocket(
  connection: StreamConnection,
  request: StreamRequest,
  call: ClusterCall,
): Promise<StreamSocket> {
  const { signal } = call;
  let credentials = await orAborted(connection.credentials.get(), signal);
  for (let renewed = false; ; renewed = true) {
    const opening = openOnce(connection, request, credentials);
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
      if (!(error instanceof UpgradeRefused)) {
        throw BuilderError.isInstance(error) ? error : unreachable(connection.server, error);
      }
      const replacement =
        error.status.code === 401 && !renewed
          ? await orAborted(connection.credentials.replace(credentials), signal)
          : undefined;
      if (!replacement) throw apiError(error.status, request.action, connection);
      credentials = replacement;
    }
  }
}
