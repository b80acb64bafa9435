import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import * as http2 from "node:http2";

import type { GrpcChannel } from "../grpc/grpc-channel.ts";
import { grpcCode } from "../grpc/grpc-status.ts";
import { SessionCall, SessionMetadata } from "./session-call.ts";
import { SessionTunnel } from "./session-tunnel.ts";

/** Serves one call of the daemon; what it throws ends the call with an error and is kept as the reason. */
export type SessionHandler = (call: SessionCall) => Promise<void>;

/** What the daemon may call, by method path. */
export type SessionHandlers = ReadonlyMap<string, SessionHandler>;

/** A session that is open on the daemon. */
export interface Session {
  /** What made one of our handlers fail first; the build's own error only repeats its text. */
  readonly failure: unknown;
  /** Resolves when the daemon has let go of the session, or the connection is gone. */
  readonly ended: Promise<void>;
  close(): void;
}

const windowBytes = 4 * 1024 * 1024;
const controlSession = "/moby.buildkit.v1.Control/Session";

/** Offers handlers to the daemon under a session id. There is no answer until the daemon calls back. */
export function openSession(
  channel: GrpcChannel,
  session: { readonly id: string; readonly sharedKey: string; readonly handlers: SessionHandlers },
): Session {
  const stream = channel.open(controlSession, {
    "x-docker-expose-session-uuid": session.id,
    "x-docker-expose-session-sharedkey": session.sharedKey,
    "x-docker-expose-session-grpc-method": [...session.handlers.keys()],
  });
  return new ServedSession(new SessionTunnel(stream), session.handlers);
}

class ServedSession implements Session {
  failure: unknown;
  readonly ended: Promise<void>;
  readonly #tunnel: SessionTunnel;
  readonly #server: ServerHttp2Session;
  #closed = false;

  constructor(tunnel: SessionTunnel, handlers: SessionHandlers) {
    this.#tunnel = tunnel;
    this.ended = tunnel.ended;
    this.#server = http2.performServerHandshake(tunnel, {
      maxSessionMemory: 1000,
      // One pattern of .dockerignore is one header; node's default of 128 would refuse the call.
      maxHeaderListPairs: 100_000,
      settings: { initialWindowSize: windowBytes, maxHeaderListSize: 16 * 1024 * 1024 },
    });
    this.#server.setLocalWindowSize(2 * windowBytes);
    this.#server.on("stream", (stream: ServerHttp2Stream, headers, _flags, rawHeaders) => {
      void this.#serve(handlers, String(headers[":path"]), new SessionCall(stream, new SessionMetadata(rawHeaders)));
    });
    // The channel reports a lost connection; a session that ends earlier shows in the build's own error.
    this.#server.on("error", () => this.close()).on("close", () => this.close());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#tunnel.destroy();
  }

  async #serve(handlers: SessionHandlers, path: string, call: SessionCall): Promise<void> {
    const handler = handlers.get(path);
    if (!handler) {
      call.stream.resume();
      call.end(grpcCode.unimplemented, `${path} is not offered`);
      return;
    }
    try {
      await handler(call);
    } catch (error) {
      if (!this.#closed && !call.stream.destroyed) this.failure ??= error;
      call.end(grpcCode.unknown, error instanceof Error ? error.message : String(error));
    }
  }
}
