import { setTimeout as delay } from "node:timers/promises";

import { BuilderError } from "@slipway/core/errors";

import type { AddressGuard } from "./address-guard.ts";
import { AddressRefusedError } from "./address-guard.ts";
import type { RequestSubject } from "./registry-error.ts";
import { abortError, addressRefusedError, connectionError } from "./registry-error.ts";
import type { RegistryRequest, RegistryResponse, RegistryTransport } from "./registry-transport.ts";
import { isRequestStream } from "./registry-transport.ts";
import type { ConcurrencyLimit } from "./request-limits.ts";
import { TooSlowError, discardBody, watchedBody } from "./response-body.ts";

const maxRedirects = 5;
const maxRetryAfterMs = 10_000;
const busyStatuses = new Set([408, 429, 500, 502, 503, 504]);
const redirectStatuses = new Set([301, 302, 303, 307, 308]);
const notSentReasons = /\b(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)\b/;

/** Sends requests until one has an answer that is worth showing. */
export interface RequestSender {
  /** Address of the registry's API. */
  readonly url: URL;
  readonly transport: RegistryTransport;
  readonly guard: AddressGuard;
  readonly limit: ConcurrencyLimit;
  readonly retryDelaysMs: readonly number[];
  /** How long an answer may take to begin, with all repeats, and how long its body may bring next to nothing. */
  readonly answerTimeoutMs: number;
}

/**
 * How long the answer to a request may still take to begin. All that is sent for it uses this up, also repeats and redirects, and the pauses between
 * them. To wait for its turn, or for what another request finds out, does not: that has limits of its own.
 */
export interface AnswerTime {
  leftMs: number;
}

/** A request, and what is known about it beside. */
export interface SentRequest extends RegistryRequest {
  /** @defaultValue `answerTimeoutMs`; no limit for a stream */
  readonly answerTime?: AnswerTime | undefined;
}

/** Sends a request, again if the registry is busy or the connection fails, and follows redirects. */
export async function sendRequest(
  sender: RequestSender,
  request: SentRequest,
  subject: RequestSubject,
): Promise<RegistryResponse> {
  const { answerTime = isRequestStream(request.body) ? undefined : { leftMs: sender.answerTimeoutMs } } = request;
  const timed: SentRequest = { ...request, answerTime };
  for (const delayMs of sender.retryDelaysMs) {
    const outcome = await attempt(sender, timed, subject);
    if (!isWorthRepeating(timed, outcome)) return answered(outcome);
    const waitMs = isError(outcome) ? delayMs : Math.max(delayMs, retryAfterMs(outcome));
    if (answerTime !== undefined && waitMs >= answerTime.leftMs) return answered(outcome);
    if (!isError(outcome)) await discardBody(outcome);
    await pause(waitMs, request.signal);
    if (answerTime !== undefined) answerTime.leftMs -= waitMs;
  }
  return answered(await attempt(sender, timed, subject));
}

function isError(outcome: RegistryResponse | BuilderError): outcome is BuilderError {
  return BuilderError.isInstance(outcome);
}

function answered(outcome: RegistryResponse | BuilderError): RegistryResponse {
  if (isError(outcome)) throw outcome;
  return outcome;
}

/** Nobody can tell how much of a `PATCH` has arrived, or what a `POST` has begun whose answer was lost. */
function isWorthRepeating(
  { method, body, repeatable = !isRequestStream(body) && method !== "PATCH" }: SentRequest,
  outcome: RegistryResponse | BuilderError,
): boolean {
  if (!repeatable) return false;
  if (!isError(outcome)) return busyStatuses.has(outcome.status);
  if (!outcome.retryable || outcome.cause instanceof TooSlowError) return false;
  return method !== "POST" || notSentReasons.test(outcome.message);
}

async function attempt(
  sender: RequestSender,
  request: SentRequest,
  subject: RequestSubject,
): Promise<RegistryResponse | BuilderError> {
  let asked = request.url;
  const errorOf = (error: unknown): BuilderError => {
    if (request.signal.aborted) return abortError(request.signal);
    if (BuilderError.isInstance(error)) return error;
    const refused = refusedAddress(error);
    if (refused) return addressRefusedError(subject, refused);
    return connectionError(subject, asked, sender.url.hostname, error);
  };
  const send = (hop: SentRequest): Promise<RegistryResponse> => {
    asked = hop.url;
    return sendOnce(sender, hop);
  };
  try {
    return watchedBody(await followRedirects(send, request), sender.answerTimeoutMs, errorOf);
  } catch (error) {
    if (request.signal.aborted) throw abortError(request.signal);
    return errorOf(error);
  }
}

function refusedAddress(error: unknown): AddressRefusedError | undefined {
  if (error instanceof AddressRefusedError) return error;
  if (error instanceof AggregateError) return error.errors.map(refusedAddress).find((found) => found !== undefined);
  return error instanceof Error && error.cause !== undefined ? refusedAddress(error.cause) : undefined;
}

async function followRedirects(
  send: (request: SentRequest) => Promise<RegistryResponse>,
  request: SentRequest,
): Promise<RegistryResponse> {
  let current = request;
  for (let redirects = 0; ; redirects++) {
    const response = await send(current);
    const location = response.headers.get("location");
    const isRead = current.method === "GET" || current.method === "HEAD";
    if (!redirectStatuses.has(response.status) || location === null || !isRead) return response;
    if (redirects >= maxRedirects) throw new Error(`more than ${maxRedirects} redirects`);
    await discardBody(response);
    current = redirected(current, new URL(location, current.url));
  }
}

async function sendOnce(sender: RequestSender, request: SentRequest): Promise<RegistryResponse> {
  sender.guard.checkUrl(request.url);
  const send = (): Promise<RegistryResponse> => sendInTime(sender, request);
  // A stream waits for others, and would keep them waiting.
  return await (isRequestStream(request.body) ? send() : sender.limit.run(send, request.signal));
}

/** The time limit ends with the beginning of the answer; whoever has left by then is still heard. */
async function sendInTime(sender: RequestSender, request: SentRequest): Promise<RegistryResponse> {
  const { transport, guard } = sender;
  const { method, url, headers, body, answerTime, bulk, repeatable } = request;
  const slow = new AbortController();
  const signal = answerTime === undefined ? request.signal : AbortSignal.any([request.signal, slow.signal]);
  signal.throwIfAborted();
  const place = { url, registryHost: sender.url.hostname, checkAddress: guard.addressCheck(url) };
  const startedMs = now();
  const timer = answerTime && setTimeout(() => slow.abort(), Math.max(1, answerTime.leftMs));
  try {
    return await transport({ ...place, method, headers, body, signal, repeatable, bulk });
  } catch (error) {
    if (!slow.signal.aborted || request.signal.aborted) throw error;
    throw new TooSlowError(`no answer within ${((now() - startedMs) / 1000).toFixed(0)} s`);
  } finally {
    clearTimeout(timer);
    if (answerTime !== undefined) answerTime.leftMs -= now() - startedMs;
  }
}

/** Credentials are for the registry alone: where it redirects to, they are not sent. */
function redirected(request: SentRequest, url: URL): SentRequest {
  if (url.protocol !== "https:" && url.protocol !== request.url.protocol)
    throw new Error(`a redirect leads from https to ${url.origin}`);
  if (url.origin === request.url.origin) return { ...request, url };
  const headers = Object.entries(request.headers).filter(([name]) => name.toLowerCase() !== "authorization");
  return { ...request, url, headers: Object.fromEntries(headers) };
}

/** `Retry-After` in seconds or as a date, capped: a registry does not decide for how long a build stands still. */
function retryAfterMs(response: RegistryResponse): number {
  const value = response.headers.get("retry-after") ?? "0";
  const seconds = Number(value);
  const waitMs = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(waitMs) ? Math.min(Math.max(0, waitMs), maxRetryAfterMs) : 0;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    throw abortError(signal);
  }
}

function now(): number {
  return performance.now();
}
export { abortError } from "./registry-error.ts";
