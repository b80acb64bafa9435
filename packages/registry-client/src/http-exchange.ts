import type { Agent, ClientRequest, IncomingMessage } from "node:http";

import { http } from "./node-http.ts";
import type { RegistryRequest, RegistryResponse } from "./registry-transport.ts";
import { isRequestStream } from "./registry-transport.ts";
import { sendStream } from "./send-stream.ts";

/** How one request gets onto its connection. */
export interface Route {
  /** Opens connections and keeps them: the next request to the same host takes one that an earlier one has left. */
  readonly agent: Agent & { readonly protocol?: string };
  /** What stands in the request line. @defaultValue path and query */
  readonly target?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Passed on to `agent`, which opens the connection with it. */
  readonly connection?: object | undefined;
}

/** Of what is larger, much may have arrived: whoever sends it asks first. */
const maxRepeatedBytes = 64 * 1024;
/** How many kept connections may turn out to be dead before a request gives up. */
const maxStaleConnections = 8;

/**
 * Sends one request over `node:http`. A connection that was kept and has died meanwhile is replaced without a word, if the request can be sent
 * again: nothing of an answer had arrived, and what the request asks for may happen twice.
 */
export async function exchange(request: RegistryRequest, route: Route): Promise<RegistryResponse> {
  const { body, method, signal } = request;
  const repeatable = request.repeatable !== false && !isLarge(body) && method !== "POST" && method !== "PATCH";
  for (let stale = 0; ; stale++) {
    const attempt: Attempt = {};
    try {
      return await send(request, route, attempt);
    } catch (error) {
      if (!repeatable || attempt.sent?.reusedSocket !== true || signal.aborted || stale >= maxStaleConnections)
        throw error;
    }
  }
}

function isLarge(body: RegistryRequest["body"]): boolean {
  return typeof body === "object" && (isRequestStream(body) || body.byteLength > maxRepeatedBytes);
}

interface Attempt {
  sent?: ClientRequest;
}

/** Ends the connections that nothing uses at present. */
export function endIdle(agent: Agent): void {
  for (const stream of Object.values(agent.freeSockets).flat()) stream?.destroy();
}

function send(
  request: RegistryRequest,
  { agent, target, headers, connection }: Route,
  attempt: Attempt,
): Promise<RegistryResponse> {
  const { method, url, body, signal } = request;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const outgoing = http.request({
      ...connection,
      method,
      agent,
      protocol: agent.protocol ?? "http:",
      host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port),
      path: target ?? url.pathname + url.search,
      headers: { host: url.host, ...headers, ...request.headers, ...lengthOf(request) },
    });
    attempt.sent = outgoing;
    // The signal is not given to node: it would end the connection when it fires later, whoever uses it by then.
    const leave = (): void => void outgoing.destroy();
    signal.addEventListener("abort", leave, { once: true });
    outgoing.once("close", () => signal.removeEventListener("abort", leave));
    // For as long as the request lives: an error that nobody listens to would end the process.
    outgoing.on("error", reject);
    outgoing.once("response", (incoming) => resolve(toResponse(incoming, method)));
    if (isRequestStream(body)) void sendStream(outgoing, body);
    else outgoing.end(body);
  });
}

/** Also of no body at all, where one is expected: registries refuse uploads that do not say so. */
function lengthOf({ body, method }: RegistryRequest): Record<string, string> {
  if (body === undefined) return ["POST", "PUT", "PATCH"].includes(method) ? { "content-length": "0" } : {};
  const length =
    typeof body === "string" ? Buffer.byteLength(body) : isRequestStream(body) ? body.sizeBytes : body.byteLength;
  if (length === undefined) return { "transfer-encoding": "chunked" };
  return { "content-length": String(length) };
}

const statusesWithoutBody = new Set([101, 204, 205, 304]);

function toResponse(incoming: IncomingMessage, method: string): RegistryResponse {
  const status = incoming.statusCode ?? 0;
  const ok = status >= 200 && status < 300;
  const headers = { get: (name: string) => incoming.headersDistinct[name.toLowerCase()]?.join(", ") ?? null };
  // Whoever reads learns of it; whoever has stopped reading does not care.
  incoming.on("error", () => undefined);
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
