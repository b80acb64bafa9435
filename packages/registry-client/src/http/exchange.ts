import type { RegistryRequest, RegistryResponse } from "../registry-transport.ts";
import { isRequestStream } from "../registry-transport.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import type { Connection } from "./connection.ts";
import type { RequestHeadOptions } from "./request-head.ts";
import { formatHead } from "./request-head.ts";
import type { ResponseHead } from "./response-head.ts";
import { readHead } from "./response-head.ts";
import { readParts } from "./response-parts.ts";
import { sendBody } from "./send-body.ts";

/** How one request gets onto its connection. */
export interface Route extends RequestHeadOptions {
  readonly pool: ConnectionPool;
  /** What connections serve the same requests. */
  readonly key: string;
  /**
   * Whether connections are kept on which much has travelled. Buffers that have grown with it no longer fit the processor's cache: where it is
   * cheap to open another one, that takes less time.
   */
  readonly keepsLarge: boolean;
  /** Opens one. The signal ends the dialling; a connection that comes all the same is ended. */
  readonly dial: (signal: AbortSignal) => Connection | Promise<Connection>;
  /**
   * How long somebody else may take to open a stream, in milliseconds. Sockets and TLS are connected while the request is sent already, within its own
   * limits. @defaultValue `30000`
   */
  readonly dialTimeoutMs?: number | undefined;
}

/** A request that streams its body has no limit before the first byte, and a stream that is never opened tells nobody. */
const usualDialTimeoutMs = 30_000;

/** Of what is larger, much may have arrived: whoever sends it asks first. */
const maxRepeatedBytes = 64 * 1024;
/** How many kept connections may turn out to be dead before a request gives up. */
const maxStaleConnections = 8;

/**
 * Sends one request by HTTP/1.1. A connection that was kept and has died meanwhile is replaced without a word, if the request can be sent again:
 * nothing of an answer had arrived, and what the request asks for may happen twice.
 *
 * @throws what has ended the connection, or `Error` for an answer that cannot be trusted
 */
export async function exchange(request: RegistryRequest, route: Route): Promise<RegistryResponse> {
  const { body, method, signal } = request;
  const repeatable = request.repeatable !== false && !isLarge(body) && method !== "POST" && method !== "PATCH";
  const head = formatHead(request, route);
  signal.throwIfAborted();
  for (let stale = 0; ; stale++) {
    const kept = endsWith(request, route) ? undefined : route.pool.take(route.key);
    const connection = kept ?? (await open(request, route));
    const { receivedBytes } = connection;
    try {
      // It may have fired just when the connection was there.
      signal.throwIfAborted();
      return await send(request, head, connection, route);
    } catch (error) {
      connection.fail();
      const isStale = kept !== undefined && connection.receivedBytes === receivedBytes;
      if (!repeatable || !isStale || signal.aborted || stale >= maxStaleConnections) throw error;
    }
  }
}

/** Neither who has left nor who has waited long enough depends on whether dialling hears its signal. */
async function open({ url, signal }: RegistryRequest, route: Route): Promise<Connection> {
  const { dialTimeoutMs = usualDialTimeoutMs } = route;
  const dialing = new AbortController();
  const { promise: givenUp, reject } = Promise.withResolvers<never>();
  const giveUp = (reason: unknown): void => {
    reject(reason);
    dialing.abort(reason);
  };
  const leave = (): void => {
    giveUp(signal.reason);
  };
  signal.addEventListener("abort", leave, { once: true });
  const timer = setTimeout(() => {
    giveUp(new Error(`no connection to ${url.host} within ${dialTimeoutMs / 1000} s`));
  }, dialTimeoutMs);
  const dialed = (async () => await route.dial(dialing.signal))();
  try {
    return await Promise.race([dialed, givenUp]);
  } catch (error) {
    const endLate = (connection: Connection): void => {
      connection.fail();
    };
    dialed.then(endLate, () => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", leave);
  }
}

function isLarge(body: RegistryRequest["body"]): boolean {
  return typeof body === "object" && (isRequestStream(body) || body.byteLength > maxRepeatedBytes);
}

/** Whether the connection is to end with this request. */
function endsWith({ body, bulk }: RegistryRequest, { keepsLarge }: Route): boolean {
  return !keepsLarge && (bulk !== undefined || isRequestStream(body));
}

async function send(
  request: RegistryRequest,
  head: string,
  connection: Connection,
  route: Route,
): Promise<RegistryResponse> {
  const { body, bulk, signal } = request;
  const { stream } = connection;
  const leave = (): void => {
    connection.fail();
  };
  signal.addEventListener("abort", leave, { once: true });
  // The connection may serve somebody else when the signal fires later.
  const forget = (): void => {
    signal.removeEventListener("abort", leave);
  };
  const answer = readHead(connection);
  answer.catch(forget);
  let isSent = !isRequestStream(body);
  if (isRequestStream(body)) {
    stream.write(head, "latin1");
    void sendBody(connection, body, answer).then((isComplete) => (isSent = isComplete));
  } else if (body === undefined || body.length === 0) stream.write(head, "latin1");
  else {
    stream.cork();
    stream.write(head, "latin1");
    stream.write(body);
    stream.uncork();
  }
  const answered = await answer;
  // The head is a copy. What came of the body with it is still to be read, and its place in that memory is before all that follows.
  connection.release(answered.rest.length);
  // Framing is no part of a body: where there is some, bytes would come to lie too far on.
  connection.readInto(answered.fields.has("content-length") ? bulk : undefined);
  let isOver = false;
  const ended = (isClean: boolean): void => {
    if (isOver) return;
    isOver = true;
    forget();
    connection.readInto(undefined);
    // What is still under way of a request that was answered early would be taken for the next one.
    const isFree = isClean && isSent && stream.writableLength === 0 && !signal.aborted;
    const isKept = isFree && answered.isPersistent && !endsWith(request, route);
    if (isKept) route.pool.give(route.key, connection, keptMs(answered));
    else connection.fail();
  };
  try {
    return toResponse(request, connection, answered, ended);
  } catch (error) {
    ended(false);
    throw error;
  }
}

const statusesWithoutBody = new Set([204, 205, 304]);

function toResponse(
  { method, bulk }: RegistryRequest,
  connection: Connection,
  head: ResponseHead,
  ended: (isClean: boolean) => void,
): RegistryResponse {
  const { status, fields, rest } = head;
  const headers = { get: (name: string) => fields.get(name.toLowerCase()) ?? null };
  const ok = status >= 200 && status < 300;
  if (method === "HEAD" || statusesWithoutBody.has(status)) {
    ended(rest.length === 0);
    return { status, ok, headers, body: null };
  }
  // What is wrong is read as a whole.
  const keepsParts = bulk === undefined || (status !== 200 && status !== 206);
  const chunks = readParts(connection, head, { keepsParts, ended });
  const cancel = async (): Promise<void> => {
    ended(false);
  };
  return { status, ok, headers, body: { [Symbol.asyncIterator]: () => chunks, cancel } };
}

/** How long the server keeps an idle connection (`Keep-Alive: timeout=5`), less what a request may be under way. */
function keptMs({ fields }: ResponseHead): number | undefined {
  const seconds = /(?:^|[\s,])timeout=(\d{1,6})/i.exec(fields.get("keep-alive") ?? "")?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000 - 1000;
}
