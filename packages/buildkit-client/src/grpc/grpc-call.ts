import type { ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import * as http2 from "node:http2";

import { FrameReader } from "./grpc-frame.ts";
import { grpcCode, GrpcStatusError, statusErrorOf } from "./grpc-status.ts";

/** What a call may be given besides its message. */
export interface GrpcCallOptions {
  readonly metadata?: OutgoingHttpHeaders;
  readonly signal?: AbortSignal | undefined;
  readonly onHeaders?: (headers: IncomingHttpHeaders) => void;
  readonly onMessage?: (message: Buffer) => void;
}

/** One call on its stream, until it is over: by trailers, by a response that is trailers only, by reset, or with the connection. */
export class GrpcCall {
  readonly finished: Promise<void>;
  readonly #method: string;
  readonly #stream: ClientHttp2Stream;
  readonly #options: GrpcCallOptions;
  #trailers: IncomingHttpHeaders | undefined;
  #failure: unknown;

  /** @param connectionError - Why the connection is gone, if it is; asked when the stream ends without trailers. */
  constructor(
    method: string,
    stream: ClientHttp2Stream,
    options: GrpcCallOptions,
    connectionError: () => Error | undefined,
  ) {
    this.#method = method;
    this.#stream = stream;
    this.#options = options;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    this.finished = promise;
    this.#listen();
    const abort = () => this.#fail(options.signal?.reason as unknown);
    options.signal?.addEventListener("abort", abort, { once: true });
    stream.on("close", () => {
      options.signal?.removeEventListener("abort", abort);
      const error = this.#outcome(connectionError);
      if (error === undefined) resolve(undefined);
      else reject(error);
    });
  }

  #listen(): void {
    const frames = new FrameReader((message) => this.#options.onMessage?.(message));
    // The reason shows when the stream closes, which it does in any case.
    this.#stream.on("error", () => undefined);
    this.#stream.on("response", (headers) => this.#readHeaders(headers));
    this.#stream.on("trailers", (headers: IncomingHttpHeaders) => (this.#trailers = headers));
    this.#stream.on("data", (chunk: Buffer) => {
      try {
        frames.push(chunk);
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  #readHeaders(headers: IncomingHttpHeaders): void {
    const status = Number(headers[":status"]);
    if (headers["grpc-status"] !== undefined) this.#trailers = headers;
    else if (status !== 200) {
      this.#fail(new GrpcStatusError(grpcCode.unavailable, `${this.#method} was answered with HTTP ${status}.`));
    }
    this.#options.onHeaders?.(headers);
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#stream.close(http2.constants.NGHTTP2_CANCEL);
  }

  #outcome(connectionError: () => Error | undefined): unknown {
    if (this.#failure !== undefined) return this.#failure;
    if (this.#trailers) return statusErrorOf(this.#method, this.#trailers);
    const reset = `${this.#method} was reset by the daemon (HTTP/2 code ${this.#stream.rstCode}).`;
    return connectionError() ?? new GrpcStatusError(grpcCode.unknown, reset, { reset: true });
  }
}
