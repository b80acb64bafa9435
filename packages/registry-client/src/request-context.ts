import type { BuilderError } from "@slipway/core";

import type { Answer } from "./access-session.ts";
import type { AuthorizedSender } from "./authorized-requests.ts";
import { responseError } from "./registry-error.ts";
import type { RegistryRequest, RegistryResponse } from "./registry-transport.ts";
import { isRequestStream } from "./registry-transport.ts";
import type { ScopedRequest } from "./request-scopes.ts";

/** Storing what has been uploaded takes registries on object stores their time. */
const storeTimeoutMs = 300_000;

/** A request of one part of the client. */
export interface ClientRequest extends ScopedRequest {
  readonly method: RegistryRequest["method"];
  /** Relative to `/v2/`, or what a registry has answered with. */
  readonly url: URL | string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: RegistryRequest["body"];
  readonly signal: AbortSignal;
  /** Completes `Cannot …` in errors: `read the manifest of registry.example.com/app:1`. */
  readonly purpose: string;
  /**
   * How long the answer may take to begin, with all repeats; the time in line does not count. @defaultValue the client's limit; for `PUT` at least
   * 5 minutes, for a stream none
   */
  readonly timeoutMs?: number | undefined;
  /** @defaultValue by method and body: not for streams and `PATCH`, for `POST` only if nothing was done */
  readonly repeatable?: boolean | undefined;
  /** Not from mirrors. @defaultValue `false` */
  readonly direct?: boolean | undefined;
  /** As in {@link RegistryRequest.bulk}. */
  readonly bulk?: RegistryRequest["bulk"];
}

/** What all parts of the client share: one registry, and how requests get there. */
export interface RegistryRequests {
  readonly registry: string;
  /** `https://registry.example.com/v2/` */
  readonly url: URL;
  /**
   * Sends a request with authorization, follows redirects of what reads, and repeats what may be repeated. Gives any answer but a demand for
   * credentials that could not be met. Errors while the body is read are `BuilderError`s.
   *
   * @throws `REGISTRY_UNAUTHORIZED`, `REGISTRY_UNAVAILABLE`, `REGISTRY_REFUSED`, `ABORTED`
   */
  send(request: ClientRequest): Promise<RegistryResponse>;
  /** The same, with what was accepted, and the name of its source. */
  sendAs(request: ClientRequest): Promise<Answer>;
  /** The error for an answer that is not what was asked for. */
  fail(purpose: string, response: RegistryResponse): Promise<BuilderError>;
  /** Passes on what a registry wants its users to know, and what happened that they should. */
  warn(message: string): void;
}

/** @param answerTimeoutMs - How long answers may take to begin. */
export function createRegistryRequests(
  registry: string,
  url: URL,
  sender: AuthorizedSender,
  answerTimeoutMs: number,
  warn: ((message: string) => void) | undefined,
): RegistryRequests {
  const warnOnce = onlyOnce(warn);
  const sendAs: RegistryRequests["sendAs"] = async ({ timeoutMs, ...request }) => {
    const headers = request.headers ?? {};
    const limitMs = timeoutMs ?? defaultTimeoutMs(request, answerTimeoutMs);
    const answerTime = limitMs === undefined ? undefined : { leftMs: limitMs };
    const answer = await sender.send({ ...request, url: resolveUrl(request.url, url), headers, answerTime });
    for (const text of warningsOf(answer.response)) warnOnce(`${registry}: ${text}`);
    return answer;
  };
  return {
    registry,
    url,
    sendAs,
    send: async (request) => (await sendAs(request)).response,
    fail: (purpose, response) => responseError({ registry, purpose, tried: [] }, response),
    warn: warnOnce,
  };
}

function defaultTimeoutMs({ method, body }: ClientRequest, answerTimeoutMs: number): number | undefined {
  if (isRequestStream(body)) return undefined;
  return method === "PUT" ? Math.max(answerTimeoutMs, storeTimeoutMs) : answerTimeoutMs;
}

/** Registries behind a proxy that ends TLS name themselves with `http:`; what is reached by HTTPS stays so. */
function resolveUrl(url: URL | string, base: URL): URL {
  const resolved = new URL(url, base);
  if (resolved.protocol === "http:" && base.protocol === "https:" && resolved.hostname === base.hostname) {
    resolved.protocol = "https:";
    resolved.port = base.port;
  }
  return resolved;
}

const maxWarnings = 20;

/** What registries say in `Warning` headers of code 299, as the distribution specification has it: `299 - "text"`. */
function warningsOf(response: RegistryResponse): string[] {
  const header = response.headers.get("warning");
  if (header === null) return [];
  return [...header.matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) => text.replace(/\\(.)/g, "$1"));
}

function onlyOnce(warn: ((message: string) => void) | undefined): (message: string) => void {
  const said = new Set<string>();
  return (message) => {
    if (said.has(message) || said.size >= maxWarnings) return;
    said.add(message);
    warn?.(message);
  };
}
