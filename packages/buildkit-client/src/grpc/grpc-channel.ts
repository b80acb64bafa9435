import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from "node:http2";
import * as http2 from "node:http2";
import type { Duplex } from "node:stream";

import { ConnectionLostError } from "../connection-lost-error.ts";
import type { GrpcCallOptions } from "./grpc-call.ts";
import { GrpcCall } from "./grpc-call.ts";
import { encodeFrame } from "./grpc-frame.ts";
import { grpcCode, GrpcStatusError } from "./grpc-status.ts";
import { http2Transport } from "./http2-transport.ts";

const windowBytes = 8 * 1024 * 1024;

/** gRPC over one HTTP/2 connection with prior knowledge. The daemon's side is grpc-go. */
export class GrpcChannel {
  /** Resolves when the connection is gone, with the reason if it was not `close()`. */
  readonly closed: Promise<Error | undefined>;
  readonly #session: ClientHttp2Session;
  readonly #transport: Duplex;
  #lost: ConnectionLostError | undefined;
  #closing = false;

  constructor(stream: Duplex) {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.closed = promise;
    this.#transport = http2Transport(stream);
    const end = (cause?: Error | null) => {
      this.#lost ??= this.#connectionError(cause);
      this.#transport.destroy();
      resolve(this.#closing ? undefined : this.#lost);
    };
    stream.on("error", end).on("end", () => end());
    stream.on("close", () => end(stream.errored));
    this.#session = http2.connect("http://localhost", {
      createConnection: () => this.#transport,
      maxSessionMemory: 1000,
      // nghttp2 dies silently on a longer header block; grpc-go heeds this limit and resets only the one stream.
      settings: { enablePush: false, initialWindowSize: windowBytes, maxHeaderListSize: 65_536 },
    });
    this.#session.on("connect", () => {
      if (!this.#session.destroyed) this.#session.setLocalWindowSize(2 * windowBytes);
    });
    this.#session.on("error", end).on("close", () => end());
    if (stream.destroyed || stream.readableEnded) end(stream.errored);
  }

  /** One request, one response. @throws GrpcStatusError, ConnectionLostError */
  async unary(method: string, request: Uint8Array, call: GrpcCallOptions = {}): Promise<Buffer> {
    let response: Buffer | undefined;
    await this.stream(method, request, { ...call, onMessage: (message) => (response = Buffer.from(message)) });
    if (!response) throw new GrpcStatusError(grpcCode.internal, `${method} ended without a response.`);
    return response;
  }

  /** One request, any number of responses, until the daemon ends the call. @throws GrpcStatusError, ConnectionLostError */
  async stream(method: string, request: Uint8Array, call: GrpcCallOptions): Promise<void> {
    call.signal?.throwIfAborted();
    const stream = this.open(method, call.metadata);
    const { finished } = new GrpcCall(method, stream, call, () => this.#currentError());
    stream.end(encodeFrame(request));
    await finished;
  }

  /** A call whose messages the caller frames. @throws ConnectionLostError */
  open(method: string, metadata: OutgoingHttpHeaders = {}): ClientHttp2Stream {
    const error = this.#currentError();
    if (error) throw error;
    try {
      return this.#session.request({
        ":method": "POST",
        ":path": method,
        "content-type": "application/grpc",
        te: "trailers",
        ...metadata,
      });
    } catch (cause) {
      throw new ConnectionLostError("The connection to BuildKit accepts no further call.", { cause });
    }
  }

  /** Ends the connection; every pending call fails with a {@link ConnectionLostError}. */
  close(): void {
    this.#closing = true;
    this.#transport.destroy();
  }

  /** Streams may close before their session says so. A daemon that shuts down takes no new call, but finishes the others. */
  #currentError(): Error | undefined {
    return this.#lost ?? (this.#session.destroyed || this.#session.closed ? this.#connectionError() : undefined);
  }

  #connectionError(cause?: Error | null): ConnectionLostError {
    const message = this.#closing ? "The connection to BuildKit was closed." : "The connection to BuildKit was lost.";
    return new ConnectionLostError(message, cause ? { cause } : {});
  }
}
