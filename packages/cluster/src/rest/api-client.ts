import type { IncomingMessage } from "node:http";

import { BuilderError } from "@slipway/core";

import type { Credentials, CredentialSource } from "../auth/credentials.ts";
import { abortError, delay, orAborted } from "../connection/abort-error.ts";
import type { AgentPool } from "../connection/agent-pool.ts";
import { http } from "../connection/node-http.ts";
import { apiError, unreachable } from "./api-error.ts";
import type { ApiAction, ApiPeer } from "./api-error.ts";
import type { ApiQuery } from "./api-resource.ts";
import { withQuery } from "./api-resource.ts";
import { parseApiStatus } from "./api-status.ts";
import type { ApiStatus } from "./api-status.ts";

/** What every call takes. */
export interface ClusterCall {
  /** Gives the call up; it rejects with the signal's reason, or code ABORTED. */
  readonly signal?: AbortSignal | undefined;
}

/** One request to the API server. */
export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From the root, escaped: `/api/v1/namespaces/builds/pods`. */
  readonly path: string;
  readonly query?: ApiQuery;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** @defaultValue `application/json` */
  readonly contentType?: string;
  /** For error messages. */
  readonly action: ApiAction;
}

/** Everything that a request needs of the connection. */
export interface ApiConnection extends ApiPeer {
  readonly url: URL;
  readonly credentials: CredentialSource;
  readonly pool: AgentPool;
  /** Fires when the connection is closed for good. */
  readonly closed: AbortSignal;
}

/** The deadline of the API server itself for anything that is not a stream (`--request-timeout`), and a little. */
const answerTimeoutMs = 65_000;
const attempts = 5;

/** How long an answer may take. */
export interface AnswerTimeouts {
  /** Until its head is there. */
  readonly headMs?: number | undefined;
  /** Until all of it is there. */
  readonly wholeMs?: number | undefined;
}

const longestPauseMs = 10_000;

/** Sends and returns the response as soon as its head is there. */
export async function sendOnce(
  connection: ApiConnection,
  request: ApiRequest,
  credentials: Credentials,
  { signal }: ClusterCall,
  { headMs, wholeMs }: AnswerTimeouts,
): Promise<IncomingMessage> {
  if (signal?.aborted) throw abortError(signal);
  const { url } = connection;
  const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
  const basePath = url.pathname.replace(/\/$/, "");
  return new Promise((resolve, reject) => {
    const outgoing = http.request({
      agent: connection.pool.agent(credentials.certificate),
      method: request.method,
      path: basePath + withQuery(request.path, request.query ?? {}),
      headers: {
        host: url.host,
        accept: "application/json",
        "user-agent": "slipway",
        ...(body ? { "content-type": request.contentType ?? "application/json", "content-length": body.length } : {}),
        ...(credentials.headers as Record<string, string | string[]>),
      },
    });
    const onAbort = (): void => void outgoing.destroy(signal && abortError(signal));
    const expire = (timeoutMs: number): void => {
      connection.pool.dropIdle();
      outgoing.destroy(new Error(`no answer within ${timeoutMs / 1000} s`));
    };
    const limit = (timeoutMs: number | undefined): NodeJS.Timeout | undefined =>
      timeoutMs === undefined ? undefined : setTimeout(() => expire(timeoutMs), timeoutMs);
    const headTimer = limit(headMs);
    const wholeTimer = limit(wholeMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    outgoing.on("close", () => {
      clearTimeout(headTimer);
      clearTimeout(wholeTimer);
      signal?.removeEventListener("abort", onAbort);
    });
    outgoing.on("error", reject);
    outgoing.on("response", (response) => {
      clearTimeout(headTimer);
      resolve(response);
    });
    outgoing.end(body);
  });
}

/** The whole body as text. */
export function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    response.on("error", reject);
    response.on("close", () => reject(new Error("the connection ended within the answer")));
  });
}

function pauseMs(response: IncomingMessage, status: ApiStatus, attempt: number): number | undefined {
  // A new namespace gets its service account a moment later; until then pods are refused.
  const isEarly = status.code === 403 && /serviceaccount .* not found/.test(status.message);
  // Both say that the request was not carried out, so that anything may be sent again.
  const isBusy = status.code === 429 || (status.code === 503 && response.headers["retry-after"] !== undefined);
  if (!isEarly && !isBusy) return undefined;
  const askedMs = Number(response.headers["retry-after"] ?? 0) * 1000;
  return Math.min(longestPauseMs, Math.max(askedMs, 250 * 2 ** attempt));
}

function asBuilderError(error: unknown, connection: ApiConnection, signal: AbortSignal | undefined): BuilderError {
  if (signal?.aborted) return abortError(signal);
  if (connection.closed.aborted) return abortError(connection.closed);
  return BuilderError.isInstance(error) ? error : unreachable(connection.server, error);
}

/** A kept-alive connection that the server closed at the same moment: it says nothing about the server. */
function isStaleConnection(error: unknown, request: ApiRequest): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return (code === "ECONNRESET" || code === "EPIPE") && request.method !== "POST";
}

/**
 * Sends a request until it is answered with success: refreshes credentials once after a 401, waits where the server asks to,
 * and repeats what was lost with a kept-alive connection.
 *
 * @throws BuilderError
 */
export async function send(
  connection: ApiConnection,
  request: ApiRequest,
  call: ClusterCall,
  timeouts: AnswerTimeouts = { wholeMs: answerTimeoutMs },
): Promise<IncomingMessage> {
  let credentials = await orAborted(connection.credentials.get(), call.signal);
  let renewed = false;
  if (connection.closed.aborted) throw abortError(connection.closed);
  for (let attempt = 0; ; attempt += 1) {
    let response: IncomingMessage;
    try {
      response = await sendOnce(connection, request, credentials, call, timeouts);
    } catch (error) {
      if (attempt === 0 && !call.signal?.aborted && isStaleConnection(error, request)) continue;
      throw asBuilderError(error, connection, call.signal);
    }
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode < 300) return response;
    const body = await readBody(response).catch(() => "");
    const status = parseApiStatus(statusCode, body);
    if (status.code === 401 && !renewed) {
      renewed = true;
      const replacement = await orAborted(connection.credentials.replace(credentials), call.signal);
      if (replacement) {
        credentials = replacement;
        continue;
      }
    }
    const waitMs = attempt + 1 < attempts ? pauseMs(response, status, attempt) : undefined;
    if (waitMs === undefined) throw apiError(status, request.action, connection);
    await delay(waitMs, call.signal);
  }
}

/** {@link send}, with the body read as JSON. */
export async function sendForJson(connection: ApiConnection, request: ApiRequest, call: ClusterCall): Promise<unknown> {
  const response = await send(connection, request, call);
  let body: string;
  try {
    body = await readBody(response);
  } catch (error) {
    throw asBuilderError(error, connection, call.signal);
  }
  try {
    return JSON.parse(body) as unknown;
  } catch {
    throw unreachable(connection.server, new Error(`it answered with something else than JSON: ${body.slice(0, 200)}`));
  }
}
