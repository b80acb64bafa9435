import { BuilderError } from "@slipway/core/errors";

import { isEcrRegistry } from "./ecr-repository.ts";
import { maxDiagnosticsBytes, parseDiagnostics } from "./registry-diagnostics.ts";
import type { RegistryResponse } from "./registry-transport.ts";
import type { RegistryRequests } from "./request-context.ts";
import { readBody, withBody } from "./response-body.ts";

/** Why a registry has answered 404 to an upload that was to begin. */
export interface UploadNotFound {
  readonly failure: BuilderError;
  /** Whether the repository is not there, so that making it would help. */
  readonly isMissing: boolean;
}

/** Reads such an answer: registries that make no repositories by themselves say that there is none. */
export async function uploadNotFound(
  requests: RegistryRequests,
  repository: string,
  purpose: string,
  response: RegistryResponse,
): Promise<UploadNotFound> {
  const { registry } = requests;
  const bytes = await readBody(response, maxDiagnosticsBytes, "truncate");
  const diagnostics = parseDiagnostics(bytes);
  const isNamed = diagnostics.some((line) => /^NAME_UNKNOWN|RepositoryNotFound/.test(line));
  if (!isNamed && !isEcrRegistry(registry))
    return { failure: await requests.fail(purpose, withBody(response, bytes)), isMissing: false };
  const remedy = isEcrRegistry(registry)
    ? "Amazon ECR makes none by itself: create it, or set `createRepository: true`."
    : "Create it, or check its name.";
  const failure = new BuilderError({
    code: "REPOSITORY_NOT_FOUND",
    message: `Cannot ${purpose}: ${registry} has no such repository (${diagnostics.join("; ").slice(0, 500)}). ${remedy}`,
    details: { registry, repository, status: response.status, diagnostics, triedCredentials: [] },
  });
  return { failure, isMissing: true };
}
