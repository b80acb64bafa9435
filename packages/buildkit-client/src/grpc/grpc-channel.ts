import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import * as http2 from "node:http2";
import type { Duplex } from "node:stream";

import { ConnectionLostError } from "../connection-lost-error.ts";
import { encodeFrame, FrameReader } from "./grpc-frame.ts";
import { grpcCode, GrpcStatusError, statusErrorOf } from "./grpc-status.ts";

/** What a call may be given besides its message. */
export interface GrpcCallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onHeaders?: (headers: IncomingHttpHeaders) => void;
  readonly onMessage?: (message: Buffer) => void;
}

const windowBytes = 8 * 1024 * 1024;

/** gRPC over one HTTP/2 connection with prior knowledge. The daemon's side is grpc-go. */
export class GrpcChannel {
  /** Resolves when the connection is gone, with the reason if it was not `close()`. */
  readonly closed: Promise<Error | undefined>;
  readonly #session: ClientHttp2Session;
  #lost: ConnectionLostError | undefined;
  #closing = false;

  constructor(stream: Duplex) {
    this.#session = http2.connect("http://localhost", {
      createConnection: () => stream,
      maxSessionMemory: 1000,
      // nghttp2 dies silently on a longer header block; grpc-go heeds this limit and resets only the one stream.
      settings: { enablePush: false, initialWindowSize: windowBytes, maxHeaderListSize: 65_536 },
    });
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.closed = promise;
    const end = (cause?: Error) => {
      this.#lost ??= new ConnectionLostError(
        this.#closing ? "The connection to BuildKit was closed." : "The connection to BuildKit was lost.",
        cause ? { cause } : {},
      );
      this.#session.destroy();
      resolve(this.#closing ? undefined : this.#lost);
    };
    this.#session.on("connect", () => this.#session.setLocalWindowSize(2 * windowBytes));
    this.#session.on("error", end).on("close", () => end());
    stream
      .on("error", end)
      .on("end", () => end())
      .on("close", () => end());
    if (stream.destroyed || stream.readableEnded) end(stream.errored ?? undefined);
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
    const stream = this.open(method);
    const finished = finishedCall(method, stream, call, () => this.#lost);
    stream.end(encodeFrame(request));
    await finished;
  }

  /** A call whose messages the caller frames. @throws ConnectionLostError */
  open(method: string, metadata: OutgoingHttpHeaders = {}): ClientHttp2Stream {
    if (this.#lost) throw this.#lost;
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
    this.#session.destroy();
  }
}

/** Settles when the call is over: by trailers, by a response that is trailers only, by reset, or with the connection. */
function finishedCall(
  method: string,
  stream: ClientHttp2Stream,
  call: GrpcCallOptions,
  lost: () => Error | undefined,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  let trailers: IncomingHttpHeaders | undefined;
  let failure: unknown;
  const fail = (error: unknown) => {
    failure ??= error;
    stream.close(http2.constants.NGHTTP2_CANCEL);
  };
  const abort = () => fail(call.signal?.reason as unknown);
  const frames = new FrameReader((message) => call.onMessage?.(message));
  call.signal?.addEventListener("abort", abort, { once: true });
  stream.on("response", (headers) => {
    if (headers["grpc-status"] !== undefined) trailers = headers;
    else if (headers[":status"] !== 200)
      fail(
        new GrpcStatusError(grpcCode.unavailable, `${method} was answered with HTTP ${String(headers[":status"])}.`),
      );
    call.onHeaders?.(headers);
  });
  stream.on("trailers", (headers: IncomingHttpHeaders) => (trailers = headers));
  stream.on("data", (chunk: Buffer) => {
    try {
      frames.push(chunk);
    } catch (error) {
      fail(error);
    }
  });
  let streamError: Error | undefined;
  stream.on("error", (error: Error) => (streamError = error));
  stream.on("close", () => {
    call.signal?.removeEventListener("abort", abort);
    const error =
      failure ?? (trailers ? statusErrorOf(method, trailers) : (lost() ?? resetError(method, stream, streamError)));
    if (error === undefined) resolve(undefined);
    else reject(error);
  });
  return promise;
}

function resetError(method: string, stream: ClientHttp2Stream, cause: Error | undefined): Error {
  const session = stream.session;
  if (session === undefined || session.destroyed)
    return new ConnectionLostError("The connection to BuildKit was lost.", { cause });
  return new GrpcStatusError(grpcCode.unknown, `${method} was reset by the daemon (HTTP/2 code ${stream.rstCode}).`, {
    reset: true,
  });
}
