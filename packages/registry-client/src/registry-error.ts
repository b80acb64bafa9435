import { BuilderError, redactSecrets } from "@slipway/core/errors";

import type { AddressRefusedError } from "./address-guard.ts";
import { readDiagnostics } from "./registry-diagnostics.ts";
import type { RegistryResponse } from "./registry-transport.ts";
import { BodyTooLargeError, TooSlowError } from "./response-body.ts";

type RegistryErrorCode = "REGISTRY_UNAUTHORIZED" | "REGISTRY_UNAVAILABLE" | "REGISTRY_REFUSED";

/** What a request was about, for messages. */
export interface RequestSubject {
  readonly registry: string;
  /** `read the manifest of registry.example.com/app:1` */
  readonly purpose: string;
  /** Names of the credentials that were tried. */
  readonly tried: readonly string[];
}

/** A credential that was of no use, by the name of its source. */
export interface CandidateAnswer {
  readonly source: string;
  /** What the registry, or its token service, answered to it; or why it was not even sent. */
  readonly answer: string;
}

/** The error for an answer that is neither what was asked for nor a request for credentials. */
export async function responseError(subject: RequestSubject, response: RegistryResponse): Promise<BuilderError> {
  const { status } = response;
  const diagnostics = await readDiagnostics(response);
  const code = codeOf(status);
  const said = diagnostics.length > 0 ? ` (${diagnostics.join("; ").slice(0, 500)})` : "";
  const message = `Cannot ${subject.purpose}: ${subject.registry} answered ${status}${said}. ${remedyFor(code, response, diagnostics)}`;
  return new BuilderError({
    code,
    message,
    details: { registry: subject.registry, status, diagnostics, triedCredentials: subject.tried },
  });
}

function codeOf(status: number): RegistryErrorCode {
  if (status === 401 || status === 403) return "REGISTRY_UNAUTHORIZED";
  return status >= 500 || status === 408 || status === 429 ? "REGISTRY_UNAVAILABLE" : "REGISTRY_REFUSED";
}

function remedyFor(code: RegistryErrorCode, response: RegistryResponse, diagnostics: readonly string[]): string {
  if (response.status === 405) return methodRemedy(response, diagnostics);
  if (/json/i.test(response.headers.get("content-type") ?? "json")) return remedies[code];
  return `${remedies[code]} The answer is ${response.headers.get("content-type")}, so it may come from something else than a registry.`;
}

const remedies: Readonly<Record<RegistryErrorCode, string>> = {
  REGISTRY_UNAUTHORIZED: "Give the builder credentials that may do this.",
  REGISTRY_UNAVAILABLE: "Try again later, or look at the registry's log.",
  REGISTRY_REFUSED: "Check the name, and what the registry allows.",
};

/** distribution leaves its writing methods out while it is read-only, and says `UNSUPPORTED` where only deletion is off. */
function methodRemedy(response: RegistryResponse, diagnostics: readonly string[]): string {
  if (diagnostics.some((line) => line.startsWith("UNSUPPORTED")))
    return "The registry does not allow this; deletion, for one, must be switched on in its configuration.";
  const allowed = response.headers.get("allow");
  const readOnly = allowed !== null && !/POST|PUT|PATCH|DELETE/i.test(allowed);
  return readOnly
    ? "The registry is read-only at present: it may be under maintenance. Try again later, or switch that off in its configuration."
    : "The registry does not take pushes at this address: it may be read-only, a mirror, or no registry at all.";
}

/** The error for a request that none of the candidates may make. */
export function unauthorizedError(
  subject: Omit<RequestSubject, "tried">,
  status: number | undefined,
  said: readonly string[],
  answers: readonly CandidateAnswer[],
): BuilderError {
  const tried = answers.map(({ source }) => source);
  const lines = answers.map(({ source, answer }) => `${source}: ${answer}`);
  const answered = status === undefined ? "refused" : `answered ${status}`;
  return new BuilderError({
    code: "REGISTRY_UNAUTHORIZED",
    message: `Cannot ${subject.purpose}: ${subject.registry} ${answered}. Tried ${lines.join("; ")}. Give the builder credentials that may do this.`,
    details: {
      registry: subject.registry,
      ...(status === undefined ? {} : { status }),
      diagnostics: [...new Set([...said, ...lines])],
      triedCredentials: tried,
    },
  });
}

/** One line for an answer: `401 (DENIED: go away)`. */
export async function describeAnswer(response: RegistryResponse): Promise<{ text: string; said: readonly string[] }> {
  const said = await readDiagnostics(response);
  return { text: `${response.status}${said.length > 0 ? ` (${said.join("; ").slice(0, 200)})` : ""}`, said };
}

/**
 * The error for a host that cannot be reached, ends the connection, or takes too long.
 *
 * @param url - Where that host is, which may be one that the registry has led to.
 * @param registryHost - The registry's own.
 */
export function connectionError(subject: RequestSubject, url: URL, registryHost: string, cause: unknown): BuilderError {
  const reason = innermostReason(cause);
  const { own, other, retryable } = remedyForConnection(reason, cause);
  const isOwn = url.hostname === registryHost;
  const place = isOwn ? url.origin : `${url.origin}, where ${subject.registry} leads`;
  return new BuilderError({
    code: "REGISTRY_UNAVAILABLE",
    message: `Cannot ${subject.purpose}: no answer from ${place} (${reason}). ${isOwn ? own : other}`,
    details: { registry: subject.registry, diagnostics: [redactSecrets(reason)], triedCredentials: subject.tried },
    retryable,
    cause,
  });
}

interface ConnectionRemedy {
  /** For the registry's own host. */
  readonly own: string;
  /** For one that the registry leads to, for which neither `insecure` nor `http` holds. */
  readonly other: string;
  readonly retryable: boolean;
}

function remedyForConnection(reason: string, cause: unknown): ConnectionRemedy {
  if (/CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|certificate/i.test(reason))
    return {
      own: "Give the certificate authority of the registry as `ca`.",
      other: "Its certificate must be valid for that host; if its authority is a private one, add it to `ca`.",
      retryable: false,
    };
  if (/EPROTO|wrong version number|packet length too long/i.test(reason))
    return {
      own: "It seems to speak plain HTTP: set `http: true`.",
      other: "It seems to speak plain HTTP: correct its address in the registry's configuration.",
      retryable: false,
    };
  const anywhere = (remedy: string): ConnectionRemedy => ({ own: remedy, other: remedy, retryable: true });
  if (cause instanceof TooSlowError) return anywhere("It is overloaded, or something in between holds the connection.");
  return anywhere("Check its address, and whether it can be reached from here.");
}

/** The error for a place to which a registry leads, and no request may go. */
export function addressRefusedError(subject: RequestSubject, refused: AddressRefusedError): BuilderError {
  return new BuilderError({
    code: "REGISTRY_REFUSED",
    message: `Cannot ${subject.purpose}: ${subject.registry} leads to ${refused.message}, where no request is sent. If that host belongs to the registry, allow it with \`guard: { allow: ["${refused.host}"] }\`.`,
    details: { registry: subject.registry, diagnostics: [refused.message], triedCredentials: subject.tried },
    cause: refused,
  });
}

/** The error for an answer that makes no sense, or more of it than there may be. */
export function unusableAnswerError(
  subject: RequestSubject,
  status: number,
  reason: string,
  cause?: unknown,
): BuilderError {
  return new BuilderError({
    code: "REGISTRY_REFUSED",
    message: `Cannot ${subject.purpose}: the answer of ${subject.registry} is of no use (${reason}). It is nothing that a registry should serve.`,
    details: { registry: subject.registry, status, diagnostics: [redactSecrets(reason)], triedCredentials: [] },
    cause,
  });
}

/** The error for a body that could not be read. */
export function bodyError(subject: RequestSubject, status: number, error: unknown): unknown {
  return error instanceof BodyTooLargeError ? unusableAnswerError(subject, status, error.message, error) : error;
}

function innermostReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return innermostReason(error.errors[0]);
  if (error.cause instanceof Error) return innermostReason(error.cause);
  const code = "code" in error && typeof error.code === "string" ? `${error.code}: ` : "";
  return code + error.message;
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
