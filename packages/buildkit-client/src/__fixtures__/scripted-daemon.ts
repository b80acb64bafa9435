import type { ClientHttp2Session, IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import * as http2 from "node:http2";
import type { Duplex } from "node:stream";
import { duplexPair } from "node:stream";

import { encodeFrame, FrameReader } from "../grpc/grpc-frame.ts";
import { statusTrailers } from "../grpc/grpc-status.ts";
import { http2Transport } from "../grpc/http2-transport.ts";
import * as messages from "../messages.ts";
import { SessionTunnel } from "../session/session-tunnel.ts";

/** What a scripted daemon does when asked to build: call back through the session, then return or throw a `GrpcAnswer`. */
export type SolveScript = (session: DaemonSession, request: SolveMessage) => Promise<Readonly<Record<string, string>>>;
type SolveMessage = ReturnType<typeof messages.decode<typeof messages.SolveRequest>>;

/** An error that the daemon answers with. */
export class GrpcAnswer extends Error {
  readonly status: number;
  readonly trailers: OutgoingHttpHeaders;

  constructor(status: number, message: string, trailers: OutgoingHttpHeaders = {}) {
    super(message);
    this.status = status;
    this.trailers = trailers;
  }
}

/** Plays buildkitd for tests of our own logic. Where its behaviour matters the tests ask a real one. */
export interface ScriptedDaemon {
  /** The client's end of the connection. */
  readonly stream: Duplex;
  /** Takes no new call from now on, as a daemon that was told to end. */
  shutDown(): void;
  /** Resolves when the client took back its call to build. */
  readonly solveCanceled: Promise<undefined>;
}

/** Starts a daemon whose builds follow a script. */
export function scriptedDaemon(script: SolveScript): ScriptedDaemon {
  const [stream, daemonEnd] = duplexPair({ highWaterMark: 64 * 1024 });
  const server = http2.performServerHandshake(http2Transport(daemonEnd), { settings: { initialWindowSize: 65_535 } });
  const session = Promise.withResolvers<DaemonSession>();
  const solveCanceled = Promise.withResolvers<undefined>();
  const closed = Promise.withResolvers<undefined>();
  server.on("error", () => undefined);
  session.promise.catch(() => undefined);
  server.on("stream", (call: ServerHttp2Stream, headers) => {
    call.on("error", () => undefined);
    const method = String(headers[":path"]).split("/").at(-1);
    if (method === "Session") session.resolve(new DaemonSession(call, headers));
    else if (method === "Info")
      void answer(call, () =>
        Promise.resolve(messages.encode(messages.InfoResponse, { buildkitVersion: { version: "v0.0.0" } })),
      );
    else if (method === "Status") void answer(call, () => closed.promise);
    else if (method === "Solve") {
      call.on("aborted", () => solveCanceled.resolve(undefined));
      void answer(call, async (request) => {
        try {
          const response = await script(await session.promise, messages.decode(messages.SolveRequest, request));
          return messages.encode(messages.SolveResponse, { exporterResponse: { ...response } });
        } finally {
          closed.resolve(undefined);
        }
      });
    } else void answer(call, () => Promise.reject(new GrpcAnswer(12, `unknown method ${String(method)}`)));
  });
  return { stream, shutDown: () => server.goaway(), solveCanceled: solveCanceled.promise };
}

async function answer(
  call: ServerHttp2Stream,
  handle: (request: Buffer) => Promise<Uint8Array | undefined>,
): Promise<void> {
  let outcome: OutgoingHttpHeaders = statusTrailers(0, "");
  call.on("wantTrailers", () => call.sendTrailers(outcome));
  call.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  try {
    const response = await handle(await firstMessage(call));
    if (!call.destroyed && response) call.write(encodeFrame(response));
  } catch (error) {
    const { status, trailers } = error instanceof GrpcAnswer ? error : { status: 2, trailers: {} };
    outcome = { ...statusTrailers(status, (error as Error).message), ...trailers };
  }
  if (!call.destroyed) call.end();
}

function firstMessage(call: ServerHttp2Stream): Promise<Buffer> {
  return new Promise((resolve) => {
    const frames = new FrameReader((message) => resolve(Buffer.from(message)));
    call.on("data", (chunk: Buffer) => frames.push(chunk));
  });
}

/** The daemon's side of a session: it is the client there. */
export class DaemonSession {
  readonly headers: IncomingHttpHeaders;
  readonly #client: ClientHttp2Session;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.headers = headers;
    stream.respond({ ":status": 200, "content-type": "application/grpc" });
    const tunnel = new SessionTunnel(stream);
    this.#client = http2.connect("http://session", {
      createConnection: () => tunnel,
      settings: { initialWindowSize: 65_535 },
    });
    this.#client.on("error", () => undefined);
  }

  /** A call with messages in both directions. */
  open(method: string, metadata: OutgoingHttpHeaders = {}): DaemonCall {
    return new DaemonCall(this.#client.request({ ":method": "POST", ":path": method, te: "trailers", ...metadata }));
  }

  /** A call with one message in each direction. */
  async unary(method: string, request: Uint8Array): Promise<Buffer> {
    const call = this.open(method);
    call.send(request);
    call.stream.end();
    const response = await call.next();
    await call.finished();
    if (!response) throw new Error("no response");
    return response;
  }
}

/** One call through the session. */
export class DaemonCall {
  readonly stream: http2.ClientHttp2Stream;
  readonly #messages: Buffer[] = [];
  readonly #trailers = Promise.withResolvers<IncomingHttpHeaders>();
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(stream: http2.ClientHttp2Stream) {
    this.stream = stream;
    this.#trailers.promise.catch(() => undefined);
    const frames = new FrameReader((message) => this.#messages.push(Buffer.from(message)));
    const wake = () => this.#wake?.();
    stream.on("data", (chunk: Buffer) => {
      frames.push(chunk);
      wake();
    });
    stream.on("error", () => undefined);
    stream.on("response", (headers) => headers["grpc-status"] !== undefined && this.#trailers.resolve(headers));
    stream.on("trailers", (trailers: IncomingHttpHeaders) => this.#trailers.resolve(trailers));
    stream.on("close", () => {
      this.#ended = true;
      this.#trailers.reject(new Error("The call was reset."));
      wake();
    });
  }

  send(message: Uint8Array): void {
    this.stream.write(encodeFrame(message));
  }

  /** The next message; undefined when there is none. */
  async next(): Promise<Buffer | undefined> {
    while (this.#messages.length === 0 && !this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#messages.shift();
  }

  /** The status that the client answered with. @throws GrpcAnswer */
  async finished(): Promise<void> {
    const trailers = await this.#trailers.promise;
    const status = Number(trailers["grpc-status"]);
    if (status !== 0) throw new GrpcAnswer(status, decodeURIComponent(String(trailers["grpc-message"])));
  }
}
