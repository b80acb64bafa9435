import { setTimeout as delay } from "node:timers/promises";

import { BuilderError } from "@slipway/core";

import type { RequestSubject } from "./registry-error.ts";
import { connectionError } from "./registry-error.ts";
import type { RegistryRequest, RegistryResponse, RegistryTransport } from "./registry-transport.ts";
import { discardBody } from "./response-body.ts";

const maxRedirects = 5;
const maxRetryAfterMs = 10_000;
const busyStatuses = new Set([408, 429, 500, 502, 503, 504]);
const redirectStatuses = new Set([301, 302, 303, 307, 308]);

/** Sends requests until one has an answer that is worth showing. */
export interface RequestSender {
  readonly transport: RegistryTransport;
  readonly retryDelaysMs: readonly number[];
}

/** Sends a request, again if the registry is busy or the connection fails, and follows redirects. */
export async function sendRequest(
  sender: RequestSender,
  request: RegistryRequest,
  subject: RequestSubject,
): Promise<RegistryResponse> {
  for (const delayMs of sender.retryDelaysMs) {
    const response = await attempt(sender, request, subject);
    if (isResponse(response)) {
      if (!busyStatuses.has(response.status)) return response;
      await discardBody(response);
      await pause(Math.max(delayMs, retryAfterMs(response)), request.signal);
    } else {
      if (!response.retryable) throw response;
      await pause(delayMs, request.signal);
    }
  }
  const response = await attempt(sender, request, subject);
  if (isResponse(response)) return response;
  throw response;
}

function isResponse(value: RegistryResponse | BuilderError): value is RegistryResponse {
  return !BuilderError.isInstance(value);
}

async function attempt(
  sender: RequestSender,
  request: RegistryRequest,
  subject: RequestSubject,
): Promise<RegistryResponse | BuilderError> {
  try {
    return await followRedirects(sender, request);
  } catch (error) {
    if (request.signal.aborted) throw abortError(request.signal);
    if (BuilderError.isInstance(error)) return error;
    return connectionError(subject, request.url, error);
  }
}

async function followRedirects({ transport }: RequestSender, request: RegistryRequest): Promise<RegistryResponse> {
  let current = request;
  for (let redirects = 0; ; redirects++) {
    const response = await transport(current);
    const location = response.headers.get("location");
    if (!redirectStatuses.has(response.status) || location === null || request.method === "POST") return response;
    if (redirects >= maxRedirects) throw new Error(`more than ${maxRedirects} redirects`);
    await discardBody(response);
    current = redirected(current, new URL(location, current.url));
  }
}

/** Credentials are for the registry alone: where it redirects to, they are not sent. */
function redirected(request: RegistryRequest, url: URL): RegistryRequest {
  if (url.protocol !== "https:" && url.protocol !== request.url.protocol)
    throw new Error(`a redirect leads to ${url.origin}`);
  if (url.origin === request.url.origin) return { ...request, url };
  const headers = Object.entries(request.headers).filter(([name]) => name !== "authorization");
  return { ...request, url, headers: Object.fromEntries(headers) };
}

function retryAfterMs(response: RegistryResponse): number {
  const seconds = Number(response.headers.get("retry-after") ?? 0);
  return Number.isFinite(seconds) ? Math.min(seconds * 1000, maxRetryAfterMs) : 0;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    throw abortError(signal);
  }
}

/** Why a caller has left, as an error. */
export function abortError(signal: AbortSignal): BuilderError {
  const cause: unknown = signal.reason;
  if (BuilderError.isInstance(cause)) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BuilderError({
    code: "ABORTED",
    message: `The request to the registry was aborted: ${reason}`,
    details: { reason },
    cause,
  });
}
