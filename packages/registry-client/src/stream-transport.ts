import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";

import { http } from "./node-http.ts";
import type { RegistryRequest, RegistryResponse, RegistryTransport } from "./registry-transport.ts";

/** How to speak HTTP over streams. */
export interface StreamTransportOptions {
  /** For `https:` addresses. */
  readonly tls?: {
    /** Certificate authority of the registry, as PEM. @defaultValue those that Node trusts */
    readonly ca?: string | undefined;
    /** Name that the certificate must have. @defaultValue the host of the address */
    readonly servername?: string | undefined;
  };
}

/**
 * The transport for registries that only a stream reaches, such as a port-forward into a cluster. Each request gets a stream of its own, which
 * is destroyed with the response.
 *
 * @param dial - Opens the stream to the host of `url`: the registry, its token service, or where it redirects to.
 */
export function createStreamTransport(
  dial: (signal: AbortSignal, url: URL) => Promise<Duplex>,
  { tls = {} }: StreamTransportOptions = {},
): RegistryTransport {
  return async (request) => {
    const stream = await dial(request.signal, request.url);
    return await exchange(
      request,
      stream,
      request.url.protocol === "https:" ? encrypt(stream, request.url, tls) : stream,
    );
  };
}

function encrypt(
  stream: Duplex,
  url: URL,
  { ca, servername = url.hostname }: NonNullable<StreamTransportOptions["tls"]>,
): Duplex {
  return connectTls({ socket: stream, servername, ...(ca === undefined ? {} : { ca }) });
}

/** @param dialed - The stream below `stream`, which is the same one unless TLS lies between. */
function exchange(request: RegistryRequest, dialed: Duplex, stream: Duplex): Promise<RegistryResponse> {
  const { method, url, headers, body, signal } = request;
  return new Promise((resolve, reject) => {
    const close = (): void => {
      stream.destroy();
      dialed.destroy();
    };
    const fail = (error: Error): void => {
      close();
      reject(error);
    };
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const outgoing = http.request({
      method,
      host: url.hostname,
      path: url.pathname + url.search,
      headers: { host: url.host, ...headers, ...length },
      createConnection: () => stream,
      signal,
    });
    // A listener for as long as the streams live: an error that nobody listens to would end the process.
    for (const source of new Set([dialed, stream, outgoing])) source.on("error", fail);
    outgoing.once("response", (incoming) => {
      incoming.once("close", close);
      resolve(toResponse(incoming, method));
    });
    outgoing.end(body);
  });
}

const statusesWithoutBody = new Set([101, 204, 205, 304]);

function toResponse(incoming: IncomingMessage, method: string): RegistryResponse {
  const status = incoming.statusCode ?? 0;
  const ok = status >= 200 && status < 300;
  const headers = { get: (name: string) => incoming.headersDistinct[name.toLowerCase()]?.join(", ") ?? null };
  if (method !== "HEAD" && !statusesWithoutBody.has(status)) {
    const read = (): AsyncIterator<Uint8Array> => incoming[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    const cancel = (): Promise<void> => {
      incoming.destroy();
      return Promise.resolve();
    };
    return { status, ok, headers, body: { [Symbol.asyncIterator]: read, cancel } };
  }
  incoming.resume();
  return { status, ok, headers, body: null };
}
