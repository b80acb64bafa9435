import type { BuildRequest, KeychainCall, Keychain } from "@slipway/core";
import { BuilderError, invalidOptions, isSameCredential } from "@slipway/core";
import { parseImageReference } from "@slipway/registry-client";

import type { BaseImages } from "./base-images.ts";
import { differByScope, usableCandidates, type UsableCredential } from "./credential-scopes.ts";
import type { PodRegistries } from "./pod-registries.ts";

/** What a preflight needs to know. */
export interface Preflight {
  readonly registries: PodRegistries;
  readonly credentials: Keychain;
  readonly keychainCall: KeychainCall;
  /** The images that the build reads; asked only where credentials contradict each other. */
  readonly baseImages: () => Promise<BaseImages>;
  /** References of some more than these, found at a glance. */
  readonly possibleBaseImages: () => Promise<readonly string[]>;
}

/** What decides which registries a build needs. */
export type CheckedRequest = Pick<
  BuildRequest,
  "outputs" | "tags" | "cacheFrom" | "cacheTo" | "createRepository" | "preflight"
>;

/**
 * Refuses credentials that contradict each other, and asks the registries for permission before anything is built: an upload is opened in each
 * repository that will be written to, and deleted. Without `preflight` no permission is asked for; what contradicts each other is refused all the same.
 *
 * @throws BuilderError REGISTRY_UNAUTHORIZED with each candidate that was tried, REPOSITORY_NOT_FOUND, REGISTRY_REFUSED, REGISTRY_UNAVAILABLE;
 * INVALID_OPTIONS for credentials that contradict each other
 */
export async function checkRegistries(request: CheckedRequest, preflight: Preflight): Promise<void> {
  await refuseAmbiguity(request, preflight);
  const written = request.preflight ? writtenRepositories(request) : [];
  await Promise.all(written.map((repository) => checkRepository(repository, request, preflight)));
}

/** Whoever cannot be reached within this time is asked when there is something to push. */
const checkTimeoutMs = 10_000;

/**
 * The daemon may reach a registry that a plain connection from its pod does not reach: through a proxy, with an authority of its own. So only what the
 * registry itself answers counts.
 */
async function checkRepository(
  { registry, repository }: Repository,
  { createRepository }: CheckedRequest,
  { registries, keychainCall: { signal, warn } }: Preflight,
): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(checkTimeoutMs)]);
  try {
    await registries.client(registry).checkPush({ registry, repository }, { signal: limit, createRepository });
  } catch (error) {
    if (signal.aborted || !isInconclusive(error)) throw error;
    const reason = limit.aborted ? `no answer within ${checkTimeoutMs / 1000} s` : error.message;
    warn?.(`Whether ${registry}/${repository} can be pushed to will only show at the end of the build: ${reason}`);
  }
}

function isInconclusive(error: unknown): error is BuilderError {
  if (!BuilderError.isInstance(error)) return false;
  if (error.code === "REGISTRY_UNAVAILABLE") return error.details.status === undefined;
  return error.code === "ABORTED" || error.code === "TIMEOUT";
}

interface Repository {
  readonly registry: string;
  readonly repository: string;
}

/** The repositories that a build writes to, each once. */
export function writtenRepositories({ outputs, tags, cacheTo }: CheckedRequest): readonly Repository[] {
  const pushed = outputs.some((output) => output.type === "push") ? tags : [];
  const caches = cacheTo.flatMap((cache) => (cache.type === "registry" ? [cache.reference] : []));
  return repositoriesOf([...pushed, ...caches]);
}

/**
 * The repositories that a build writes to and reads, those that it writes to first.
 *
 * @param bases - References of the images that its Dockerfile names.
 */
export function usedRepositories(request: CheckedRequest, bases: readonly string[]): readonly Repository[] {
  return [...writtenRepositories(request), ...repositoriesOf([...readCaches(request), ...bases])];
}

function repositoriesOf(references: readonly string[]): readonly Repository[] {
  const all = references.map((reference) => parseImageReference(reference));
  return [...new Map(all.map((image) => [`${image.registry}/${image.repository}`, image])).values()];
}

/**
 * A registry with Basic authentication is asked with one user name for everything, because that is all that BuildKit can be told. Where two
 * repositories of this build want different ones, one of them is sure to fail, and nobody could say why.
 */
async function refuseAmbiguity(request: CheckedRequest, preflight: Preflight): Promise<void> {
  const { credentials, keychainCall } = preflight;
  const mayBeUsed = usedRepositories(request, await preflight.possibleBaseImages());
  for (const registry of new Set(mayBeUsed.map((image) => image.registry))) {
    const candidates = await usableCandidates(credentials, { registry, actions: ["pull", "push"] }, keychainCall);
    if (!differByScope(candidates)) continue;
    if ((await authenticationOf(registry, preflight)) !== "basic") continue;
    const { references, isComplete } = await preflight.baseImages();
    await refuseDifferent(registry, usedRepositories(request, references), preflight);
    if (!isComplete) keychainCall.warn?.(unseenBases(registry, candidates));
  }
}

function unseenBases(registry: string, candidates: readonly UsableCredential[]): string {
  const sources = [...new Set(candidates.map(({ source }) => source))].join(" and ");
  return `${registry} has Basic authentication, where a build has one user name for all repositories, but ${sources} differ by repository. The Dockerfile is not on this machine, so whether a base image wants another one than the rest of the build is not known: then the build fails when it pulls or pushes. Give one that may do all`;
}

async function authenticationOf(
  registry: string,
  { registries, keychainCall: { signal } }: Preflight,
): Promise<string | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(checkTimeoutMs)]);
  try {
    return (await registries.client(registry).ping({ signal: limit })).authentication;
  } catch (error) {
    if (signal.aborted || !isInconclusive(error)) throw error;
    return undefined;
  }
}

function readCaches({ cacheFrom }: CheckedRequest): readonly string[] {
  return cacheFrom.flatMap((cache) => (cache.type === "registry" ? [cache.reference] : []));
}

async function refuseDifferent(
  registry: string,
  used: readonly Repository[],
  { credentials, keychainCall }: Preflight,
): Promise<void> {
  const own = used.filter((image) => image.registry === registry);
  const best = await Promise.all(
    own.map(async ({ repository }) => {
      const resource = { registry, repository, actions: ["pull" as const, "push" as const] };
      const [credential] = await usableCandidates(credentials, resource, keychainCall);
      return { repository, credential };
    }),
  );
  const [first, ...others] = best.flatMap(({ repository, credential }) =>
    credential === undefined ? [] : [{ repository, credential }],
  );
  const other = others.find(({ credential }) => first !== undefined && !isSameCredential(credential, first.credential));
  if (first === undefined || other === undefined) return;
  const message = `${registry} has Basic authentication, where a build has one user name for all repositories, but ${registry}/${first.repository} wants that of ${first.credential.source} and ${registry}/${other.repository} that of ${other.credential.source}. Give one that may do both, or use a registry with token authentication`;
  throw invalidOptions("the build", [{ path: "credentials", message }]);
}
