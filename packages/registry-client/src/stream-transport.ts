import type { IncomingMessage } from "node:http";
import { request as httpRequest } from "node:http";
import type { Duplex } from "node:stream";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { connect as connectTls } from "node:tls";

import type { RegistryRequest, RegistryTransport } from "./registry-transport.ts";

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
    if (request.url.protocol !== "https:") return await exchange(request, stream);
    const servername = tls.servername ?? request.url.hostname;
    return await exchange(
      request,
      connectTls({ socket: stream, servername, ...(tls.ca === undefined ? {} : { ca: tls.ca }) }),
    );
  };
}

function exchange({ method, url, headers, body, signal }: RegistryRequest, stream: Duplex): Promise<Response> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      stream.destroy();
      reject(error);
    };
    const outgoing = httpRequest({
      method,
      host: url.hostname,
      path: url.pathname + url.search,
      headers: {
        host: url.host,
        ...headers,
        ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
      },
      createConnection: () => stream,
      signal,
    });
    stream.once("error", fail);
    outgoing.once("error", fail);
    outgoing.once("response", (incoming) => {
      incoming.once("close", () => stream.destroy());
      resolve(toResponse(incoming, method));
    });
    outgoing.end(body);
  });
}

const statusesWithoutBody = new Set([101, 204, 205, 304]);

function toResponse(incoming: IncomingMessage, method: string): Response {
  const status = incoming.statusCode ?? 0;
  const headers = new Headers();
  for (const [name, values] of Object.entries(incoming.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  if (method !== "HEAD" && !statusesWithoutBody.has(status)) {
    return new Response(Readable.toWeb(incoming) as ReadableStream<Uint8Array>, { status, headers });
  }
  incoming.resume();
  return new Response(null, { status, headers });
}
