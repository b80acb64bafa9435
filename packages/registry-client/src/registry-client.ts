import type { AccessCheck } from "./access-check.ts";
import type { AddressGuard } from "./address-guard.ts";
import { createAddressGuard, openGuard } from "./address-guard.ts";
import type { RegistryAccess } from "./access-session.ts";
import { createAuthorizedSender } from "./authorized-requests.ts";
import type { BlobRequests } from "./blobs.ts";
import { createBlobRequests } from "./blobs.ts";
import type { RegistryLogin } from "./check-login.ts";
import { checkLogin } from "./check-login.ts";
import { checkPull } from "./check-pull.ts";
import type { CheckPushOptions } from "./check-push.ts";
import { checkPush } from "./check-push.ts";
import { checkRegistryOptions } from "./check-registry-options.ts";
import type { ImageReference } from "./image-reference.ts";
import { plainCall } from "./keychain-call.ts";
import type { ListingRequests } from "./listing-requests.ts";
import { createListingRequests } from "./listing-requests.ts";
import type { ManifestRequests } from "./manifest-requests.ts";
import { createManifestRequests } from "./manifest-requests.ts";
import { createNetworkTransport } from "./network-transport.ts";
import { ownReference } from "./own-reference.ts";
import { ownRepository } from "./own-repository.ts";
import type { RegistryPing } from "./ping.ts";
import { ping } from "./ping.ts";
import type { RegistryCall } from "./registry-call.ts";
import type { Mirror } from "./registry-mirrors.ts";
import { withMirrors } from "./registry-mirrors.ts";
import type { RegistryClientOptions, RegistryMirror } from "./registry-options.ts";
import { registryUrl } from "./registry-options.ts";
import type { RegistryToken, TokenRequest } from "./registry-token.ts";
import { fetchRegistryToken } from "./registry-token.ts";
import type { RegistryTransport } from "./registry-transport.ts";
import type { RegistryRequests } from "./request-context.ts";
import { createRegistryRequests } from "./request-context.ts";
import { createConcurrencyLimit } from "./request-limits.ts";

export type { RegistryCall } from "./registry-call.ts";

/** Talks to one registry about its images. */
export interface RegistryClient extends ManifestRequests, ListingRequests, BlobRequests, AsyncDisposable {
  /** Host with its port. */
  readonly registry: string;
  /** Asks whether the registry is there, and how it wants to be asked. @throws `REGISTRY_UNAVAILABLE`, `REGISTRY_REFUSED` if nothing there is a registry */
  ping(call?: RegistryCall): Promise<RegistryPing>;
  /** Whether a registry with Basic authentication knows a user. @throws `REGISTRY_UNAVAILABLE`, `REGISTRY_REFUSED` */
  checkLogin(login: RegistryLogin, call?: RegistryCall): Promise<boolean>;
  /**
   * Finds out whether one may push, by opening an upload and dropping it.
   *
   * @param repository - A repository of this registry: its path (`team/api`), or an image in it, whose tag does not count. A text whose first part looks
   * like a host (`ghcr.io/team/api`) names that registry, as it does for engines; a repository that is called so here is given as an `ImageReference`.
   * @throws `REGISTRY_UNAUTHORIZED` with every candidate and what was answered to it, `REPOSITORY_NOT_FOUND`, `REGISTRY_UNAVAILABLE`, `REGISTRY_REFUSED`,
   * `INVALID_OPTIONS` for what is no repository, or another registry's
   */
  checkPush(repository: ImageReference | string, options?: CheckPushOptions): Promise<AccessCheck>;
  /**
   * Finds out whether, and with which credentials, one may pull an image. `undefined` if the registry does not have it.
   *
   * @param reference - An image of this registry; without tag and digest it is the tag `latest`.
   * @throws `REGISTRY_UNAUTHORIZED` with every candidate and what was answered to it, `REGISTRY_UNAVAILABLE`, `REGISTRY_REFUSED`,
   * `INVALID_OPTIONS` for another registry's image
   */
  checkPull(reference: ImageReference | string, call?: RegistryCall): Promise<AccessCheck | undefined>;
  /** Gets a token for somebody else, from the registry's token service. `undefined` if it refuses this credential. @throws `REGISTRY_UNAVAILABLE` */
  fetchToken(request: TokenRequest, call?: RegistryCall): Promise<RegistryToken | undefined>;
  /** Lets go of the connections that are kept for further requests. Those of requests that are under way stay. */
  close(): Promise<void>;
}

/**
 * Makes a client for one registry. Nothing is sent, and no credential asked for, before the first call.
 *
 * @throws `INVALID_OPTIONS` with everything that is wrong with the options: an unknown key, a registry that is a URL, a proxy that is none; and for
 * a variable of the environment (`HTTPS_PROXY`) that names no proxy, where it counts
 */
export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  checkRegistryOptions(options);
  const { registry, ca, insecure, proxy, mirrors = [] } = options;
  const transport = options.transport ?? createNetworkTransport({ ca, insecure, proxy });
  const { retryDelaysMs = [250, 1_000] } = options;
  const access = registryAccess(registry, registryUrl(registry, options.http), transport, options, retryDelaysMs);
  const requests = requestsTo(access);
  const mirrored = withMirrors(
    requests,
    mirrors.map((mirror) => openMirror(mirror, transport, options)),
  );
  const close = async (): Promise<void> => await transport.close?.();
  return {
    registry,
    ...createManifestRequests(mirrored),
    // What refers to an image is on a list that changes, which mirrors have late or never.
    ...createListingRequests(requests, createManifestRequests(requests)),
    ...createBlobRequests(mirrored),
    ping: (call) => ping(access, call),
    checkLogin: (login, call) => checkLogin(access, login, call),
    checkPush: async (repository, call) => checkPush(requests, ownRepository(registry, repository), call),
    checkPull: async (reference, call) => checkPull(requests, ownReference(registry, reference), call),
    fetchToken: (request, call) => fetchRegistryToken(access, request, call),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function registryAccess(
  registry: string,
  url: URL,
  transport: RegistryTransport,
  options: RegistryClientOptions,
  retryDelaysMs: readonly number[],
): RegistryAccess {
  const { credentials, keychainCall = {}, answerTimeoutMs = 25_000 } = options;
  const limit = createConcurrencyLimit(options.maxConcurrentRequests ?? 16);
  const guard = guardOf(url, transport, options);
  return {
    ...{ registry, url, transport, guard, limit, retryDelaysMs, answerTimeoutMs, credentials },
    keychainCall: plainCall(keychainCall),
  };
}

function requestsTo(access: RegistryAccess): RegistryRequests {
  const { registry, url, answerTimeoutMs, keychainCall } = access;
  return createRegistryRequests(registry, url, createAuthorizedSender(access), answerTimeoutMs, keychainCall.warn);
}

function guardOf(url: URL, { resolvesElsewhere }: RegistryTransport, { guard }: RegistryClientOptions): AddressGuard {
  return guard === false ? openGuard : createAddressGuard(url, guard, resolvesElsewhere);
}

/** A mirror is a registry of its own, with its own credentials; what it refuses is not asked for again. */
function openMirror(mirror: RegistryMirror, transport: RegistryTransport, options: RegistryClientOptions): Mirror {
  const { registry: place, http } = typeof mirror === "string" ? { registry: mirror, http: undefined } : mirror;
  const [registry = "", ...folders] = place.split("/");
  const access = registryAccess(registry, registryUrl(registry, http), transport, options, []);
  return { requests: requestsTo(access), prefix: folders.map((folder) => `${folder}/`).join("") };
}
