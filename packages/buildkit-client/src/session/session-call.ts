import type { ServerHttp2Stream } from "node:http2";
import * as http2 from "node:http2";

import { encodeFrame, FrameReader } from "../grpc/grpc-frame.ts";
import { grpcCode, statusTrailers } from "../grpc/grpc-status.ts";

/** A call that the daemon made to us. After a reset every method does nothing: node would throw out of an event. */
export class SessionCall {
  readonly stream: ServerHttp2Stream;
  readonly metadata: SessionMetadata;
  #status: { readonly code: number; readonly message: string } | undefined;

  constructor(stream: ServerHttp2Stream, metadata: SessionMetadata) {
    this.stream = stream;
    this.metadata = metadata;
    stream.on("wantTrailers", () => {
      const { code, message } = this.#status ?? { code: grpcCode.ok, message: "" };
      if (!stream.destroyed) stream.sendTrailers(statusTrailers(code, message));
    });
    // A reset is told apart by "close"; without a listener it would end the process.
    stream.on("error", () => undefined);
  }

  /** Sends the response headers; messages may follow. */
  respond(): void {
    if (this.stream.destroyed || this.stream.headersSent) return;
    this.stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  }

  /** The request of a unary call. */
  readMessage(): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    let request: Buffer = Buffer.alloc(0);
    const frames = new FrameReader((message) => (request = Buffer.from(message)));
    this.stream.on("data", (chunk: Buffer) => {
      try {
        frames.push(chunk);
      } catch (error) {
        reject(error);
      }
    });
    this.stream.on("end", () => resolve(request));
    this.stream.on("close", () => reject(new Error("The daemon took its call back.")));
    return promise;
  }

  /** Answers a unary call. */
  reply(response: Uint8Array): void {
    this.respond();
    if (this.stream.destroyed) return;
    this.stream.end(encodeFrame(response));
  }

  /** Ends the call; with a code other than OK the daemon sees an error. */
  end(code: number = grpcCode.ok, message = ""): void {
    if (this.stream.destroyed || this.stream.writableEnded) return;
    if (!this.stream.headersSent) {
      const headers = { ":status": 200, "content-type": "application/grpc", ...statusTrailers(code, message) };
      this.stream.respond(headers, { endStream: true });
      return;
    }
    this.#status = { code, message };
    this.stream.end();
  }

  /** Gives the call up at once. */
  reset(): void {
    if (!this.stream.destroyed) this.stream.close(http2.constants.NGHTTP2_CANCEL);
  }
}

/** Request metadata with repeated keys kept apart: node's header object joins them with a comma, which a pattern may contain. */
export class SessionMetadata {
  readonly #values = new Map<string, string[]>();

  constructor(rawHeaders: readonly string[]) {
    for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
      const key = rawHeaders[index] ?? "";
      const value = rawHeaders[index + 1] ?? "";
      const values = this.#values.get(key);
      if (values) values.push(value);
      else this.#values.set(key, [value]);
    }
  }

  /** All values of a key, unescaped where the daemon says that it escaped them. */
  list(key: string): string[] {
    const values = this.#values.get(key) ?? [];
    const encoded = this.#values.get(`${key}-encoded`)?.[0] === "1";
    return encoded ? values.map((value) => decodeURIComponent(value.replaceAll("+", " "))) : values;
  }

  /** The first value of a key. */
  first(key: string): string | undefined {
    return this.list(key)[0];
  }

  /** Keys that begin with a prefix, without it, each with its first value. */
  withPrefix(prefix: string): Record<string, string> {
    const entries = [...this.#values.keys()].filter((key) => key.startsWith(prefix));
    return Object.fromEntries(entries.map((key) => [key.slice(prefix.length), this.first(key) ?? ""]));
  }
}
