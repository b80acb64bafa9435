import { BuilderError, redactSecrets } from "@slipway/core";

import { readBody } from "./response-body.ts";
import type { RegistryResponse } from "./registry-transport.ts";

const maxDiagnosticsBytes = 64 * 1024;

type RegistryErrorCode = "REGISTRY_UNAUTHORIZED" | "REGISTRY_UNAVAILABLE" | "REGISTRY_REFUSED";

/** What a request was about, for messages. */
export interface RequestSubject {
  readonly registry: string;
  /** `read the manifest of registry.example.com/app:1` */
  readonly purpose: string;
  /** Names of the credentials that were tried. */
  readonly tried: readonly string[];
}

/** The error for an answer that is neither what was asked for nor a request for credentials. */
export async function responseError(subject: RequestSubject, response: RegistryResponse): Promise<BuilderError> {
  const { status } = response;
  const diagnostics = await readDiagnostics(response);
  const code = codeOf(status);
  const said = diagnostics.length > 0 ? ` (${diagnostics.join("; ").slice(0, 500)})` : "";
  const message = `Cannot ${subject.purpose}: ${subject.registry} answered ${status}${said}. ${remedies[code](subject)}`;
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

const remedies: Readonly<Record<RegistryErrorCode, (subject: RequestSubject) => string>> = {
  REGISTRY_UNAUTHORIZED: ({ tried }) => `Tried ${tried.join(", ")}. Give the builder credentials that may do this.`,
  REGISTRY_UNAVAILABLE: () => "Try again later, or look at the registry's log.",
  REGISTRY_REFUSED: () => "Check the name, and what the registry allows.",
};

/** The error for a registry that cannot be reached, or ends the connection. */
export function connectionError(subject: RequestSubject, url: URL, cause: unknown): BuilderError {
  const reason = innermostReason(cause);
  const tls = /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|certificate/i.test(reason);
  const plain = /EPROTO|wrong version number|packet length too long/i.test(reason);
  const remedy = tls
    ? "Give the certificate authority of the registry as `ca`."
    : plain
      ? "It seems to speak plain HTTP: set `http: true`."
      : "Check its address, and whether it can be reached from here.";
  return new BuilderError({
    code: "REGISTRY_UNAVAILABLE",
    message: `Cannot ${subject.purpose}: no answer from ${url.origin} (${reason}). ${remedy}`,
    details: { registry: subject.registry, diagnostics: [redactSecrets(reason)], triedCredentials: subject.tried },
    retryable: !tls && !plain,
    cause,
  });
}

function innermostReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return innermostReason(error.errors[0]);
  if (error.cause instanceof Error) return innermostReason(error.cause);
  const code = "code" in error && typeof error.code === "string" ? `${error.code}: ` : "";
  return code + error.message;
}

/** What a registry says in an error body: each entry of its `errors`, or else the text itself. At most 64 KiB. */
async function readDiagnostics(response: RegistryResponse): Promise<string[]> {
  const bytes = await readBody(response, maxDiagnosticsBytes, "truncate").catch(() => new Uint8Array());
  const text = new TextDecoder().decode(bytes).trim();
  const listed = listedErrors(text);
  if (listed.length > 0) return listed.map(redactSecrets);
  return text === "" ? [] : [redactSecrets(text)];
}

function listedErrors(text: string): string[] {
  try {
    const { errors } = JSON.parse(text) as { errors?: unknown };
    if (!Array.isArray(errors)) return [];
    return errors.map((error: { code?: unknown; message?: unknown } | null) =>
      [error?.code, error?.message].filter((part) => typeof part === "string" && part !== "").join(": "),
    );
  } catch {
    return [];
  }
}
