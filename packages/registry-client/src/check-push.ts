import type { BuilderError } from "@slipway/core/errors";

import type { AccessCheck } from "./access-check.ts";
import { accessCheck } from "./access-check.ts";
import { dropUpload, emptyBlob } from "./drop-upload.ts";
import { createEcrRepository } from "./ecr-repository.ts";
import { graceSignal } from "./grace-signal.ts";
import { abortError } from "./registry-error.ts";
import type { RegistryCall } from "./registry-call.ts";
import { neverAborted } from "./registry-call.ts";
import type { RegistryRequests } from "./request-context.ts";
import { discardBody } from "./response-body.ts";
import { uploadNotFound } from "./upload-not-found.ts";

const cleanupTimeoutMs = 10_000;

/** What `checkPush` takes. */
export interface CheckPushOptions extends RegistryCall {
  /**
   * Makes a missing repository, at a registry that does not do so by itself: `true` for Amazon ECR through `@aws-sdk/client-ecr`, which then must be
   * installed, or a function of one's own. @defaultValue `false`
   */
  readonly createRepository?: boolean | CreateRepository | undefined;
}

/** Makes a repository. */
export type CreateRepository = (
  repository: { readonly registry: string; readonly repository: string },
  call: { readonly signal: AbortSignal },
) => Promise<void>;

/** Opens an upload and drops it. Nothing else tells: a token is also given to those who may only read. */
export async function checkPush(
  requests: RegistryRequests,
  repository: string,
  { createRepository = false, signal = neverAborted() }: CheckPushOptions = {},
): Promise<AccessCheck> {
  const found = await tryPush(requests, repository, signal);
  if ("source" in found) return found;
  if (createRepository === false) throw found.missing;
  const create = createRepository === true ? createEcrRepository : createRepository;
  await create({ registry: requests.registry, repository }, { signal });
  const again = await tryPush(requests, repository, signal);
  if ("source" in again) return again;
  throw again.missing;
}

async function tryPush(
  requests: RegistryRequests,
  repository: string,
  signal: AbortSignal,
): Promise<AccessCheck | { readonly missing: BuilderError }> {
  const purpose = `push to ${requests.registry}/${repository}`;
  const url = `${repository}/blobs/uploads/`;
  const access = { repository, actions: ["pull", "push"], purpose } as const;
  leaveIfAborted(signal);
  // Whoever leaves before the answer is there does not know yet what to drop.
  using grace = graceSignal(signal);
  const post = { method: "POST", url, ...access, signal: grace.signal } as const;
  const { response, ...check } = await requests.sendAs(post).catch((error: unknown) => {
    throw signal.aborted ? abortError(signal) : error;
  });
  if (response.status === 404) {
    const { failure, isMissing } = await uploadNotFound(requests, repository, purpose, response);
    if (isMissing) return { missing: failure };
    throw failure;
  }
  if (!response.ok) throw await requests.fail(purpose, response);
  await discardBody(response);
  const stated = response.headers.get("location");
  const location = stated === null ? null : URL.parse(stated, new URL(url, requests.url).href);
  const cleanup = { repository, purpose, digest: emptyBlob, signal: AbortSignal.timeout(cleanupTimeoutMs) };
  // Whether one may push is known also where nobody says what to drop.
  if (location !== null) await dropUpload(requests, { ...cleanup, url: location });
  leaveIfAborted(signal);
  return accessCheck(check);
}

function leaveIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortError(signal);
}
