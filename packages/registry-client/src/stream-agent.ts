import type { AgentOptions, ClientRequest } from "node:http";
import type { Duplex } from "node:stream";

import { http, tls } from "./node-http.ts";

/** What a request tells the agent about the connection it needs. */
export interface StreamConnection {
  readonly url: URL;
  /** Ends the dialling. Named so that node does not take it for its own. */
  readonly dialSignal: AbortSignal;
  /** TLS on the stream; absent where the stream is what HTTP goes over. */
  readonly tls?:
    { readonly ca?: string; readonly servername: string; readonly rejectUnauthorized: boolean } | undefined;
}

/** Opens a stream to the host of `url`. The signal ends the dialling; what becomes of the stream is not up to it. */
export type Dial = (signal: AbortSignal, url: URL) => Promise<Duplex>;

/**
 * Keeps streams that somebody else dials. They are no sockets of this process, so nothing but a timer ends them when they are idle, and
 * whatever happens on an idle one makes it useless.
 */
export class StreamAgent extends http.Agent {
  readonly #dial: Dial;
  readonly #idleMs: number;
  readonly #idle = new WeakMap<Duplex, () => void>();

  constructor(dial: Dial, idleMs: number) {
    super({ keepAlive: true, maxFreeSockets: 4, scheduling: "lifo" } satisfies AgentOptions);
    this.#dial = dial;
    this.#idleMs = idleMs;
  }

  override createConnection(
    options: object,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    const connection = options as StreamConnection;
    this.#open(connection).then(
      (stream) => callback?.(null, stream),
      (error: unknown) =>
        (callback as ((error: Error) => void) | undefined)?.(error instanceof Error ? error : new Error(String(error))),
    );
    return undefined;
  }

  async #open({ url, dialSignal, tls: trust }: StreamConnection): Promise<Duplex> {
    const dialed = await this.#dialFor(dialSignal, url);
    // For as long as the stream lives: an error that nobody listens to would end the process.
    dialed.on("error", () => undefined);
    if (trust === undefined) return dialed;
    const stream = tls().connect({ ...trust, socket: dialed });
    stream.on("error", () => undefined);
    dialed.once("error", (error) => stream.destroy(error));
    stream.once("close", () => dialed.destroy());
    return stream;
  }

  /** Streams of a cluster end with the signal that they were opened with, and this one may serve others after the request that it is dialled for. */
  async #dialFor(signal: AbortSignal, url: URL): Promise<Duplex> {
    const dialing = new AbortController();
    const leave = (): void => {
      dialing.abort(signal.reason);
    };
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    try {
      return await this.#dial(dialing.signal, url);
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  /** Connections differ by what the certificate must say, beside their host. */
  override getName(options?: object): string {
    const { tls: trust } = (options ?? {}) as Partial<StreamConnection>;
    return `${super.getName(options)}:${trust?.servername ?? ""}`;
  }

  override keepSocketAlive(stream: Duplex): boolean {
    const end = (): void => void stream.destroy();
    const timer = setTimeout(end, this.#idleMs).unref();
    // Nothing that is idle keeps a process alive, as far as that is in our hands.
    (stream as Duplex & { unref?: () => void }).unref?.();
    for (const event of ["data", "end", "error"]) stream.on(event, end);
    this.#idle.set(stream, () => {
      clearTimeout(timer);
      for (const event of ["data", "end", "error"]) stream.off(event, end);
    });
    return true;
  }

  override reuseSocket(stream: Duplex, request: ClientRequest): void {
    this.#idle.get(stream)?.();
    super.reuseSocket(withRef(stream), request);
  }
}

/** Node keeps the process alive for a socket in use; other streams see to that themselves. */
function withRef(stream: Duplex & { ref?: () => void }): Duplex {
  stream.ref ??= () => undefined;
  return stream;
}
