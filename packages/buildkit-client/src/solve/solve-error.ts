import { BuilderError } from "@slipway/core";

import type { ErrorDetails } from "./error-details.ts";
import type { FailureRecord } from "./failure-record.ts";
import { readRegistryFailure } from "./registry-failure.ts";

const missingDockerfile = /failed to read dockerfile: open (?<path>\S+): no such file or directory/;

/** The error of a build that the daemon gave up, from its text, its details and what the build reported before. */
export function solveError(
  message: string,
  details: ErrorDetails,
  record: FailureRecord,
  cause: unknown,
): BuilderError {
  const path = missingDockerfile.exec(message)?.groups?.["path"];
  if (path !== undefined) return missingDockerfileError(path, cause);
  const registry = details.exitCode === undefined ? readRegistryFailure(message) : undefined;
  if (registry) {
    const { code, ...found } = registry;
    const text = `${registryText[code]} ${found.registry}: ${message}`;
    return new BuilderError({
      code,
      message: text,
      details: { ...found, diagnostics: [message], triedCredentials: [] },
      cause,
    });
  }
  return buildFailed(message, details, record, cause);
}

const registryText = {
  REGISTRY_UNAUTHORIZED: "BuildKit was not let in. Check the credentials for",
  REGISTRY_UNAVAILABLE: "BuildKit got no usable answer. Check that its pod reaches",
  REGISTRY_REFUSED: "BuildKit's request was refused by",
} as const;

function missingDockerfileError(path: string, cause: unknown): BuilderError {
  const message = `The context has no file ${path}. Name the Dockerfile with the option dockerfile.`;
  return new BuilderError({ code: "CONTEXT_INVALID", message, details: { path }, cause });
}

function buildFailed(message: string, details: ErrorDetails, record: FailureRecord, cause: unknown): BuilderError {
  const { name: step, logTail } = record.step(details.vertex);
  const { exitCode, location } = details;
  const where = location ? ` (${location.file}:${location.line})` : "";
  const what =
    exitCode === undefined
      ? `${step ?? "The build"}${where} failed: ${message}`
      : `${step ?? "A step"}${where} ended with exit code ${exitCode}. What it printed last is in details.logTail.`;
  return new BuilderError({
    code: "BUILD_FAILED",
    message: what,
    details: {
      ...(step === undefined ? {} : { step }),
      ...(exitCode === undefined ? {} : { exitCode }),
      ...(location ? { location } : {}),
      logTail,
    },
    cause,
  });
}
