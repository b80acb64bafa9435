import type { Credential, Keychain, KeychainCall, RegistryResource } from "@slipway/core";

import type { Authorization } from "./access-token.ts";
import { basicHeader, fetchToken, tokenService } from "./access-token.ts";
import type { Challenge } from "./challenge.ts";
import { parseChallenges } from "./challenge.ts";
import { responseError } from "./registry-error.ts";
import type { RegistryRequest, RegistryResponse } from "./registry-transport.ts";
import { sendRequest } from "./registry-requests.ts";
import type { RequestSender } from "./registry-requests.ts";
import { discardBody } from "./response-body.ts";

/** A request and what it is for. */
export interface PurposefulRequest extends RegistryRequest {
  readonly repository: string;
  readonly purpose: string;
}

/** Sends requests with whatever authorization the registry asks for. */
export interface AuthorizedSender {
  /** The answer to a request, also an unhappy one, but never a demand for credentials. @throws `REGISTRY_UNAUTHORIZED`, `REGISTRY_UNAVAILABLE` */
  send(request: PurposefulRequest): Promise<RegistryResponse>;
}

/** What authorization needs to know about a registry. */
export interface RegistryAccess extends RequestSender {
  readonly registry: string;
  readonly url: URL;
  readonly credentials: Keychain | undefined;
  readonly readSecret: KeychainCall["readSecret"];
}

/**
 * Learns from the registry's first refusal how to authorize, tries the candidates of the keychain in their order, and last nobody. What worked
 * for a repository is used until it expires or is refused.
 */
export function createAuthorizedSender(access: RegistryAccess): AuthorizedSender {
  const known = new Map<string, Authorization>();
  return {
    send: async (request) => {
      const remembered = known.get(request.repository);
      const current = remembered !== undefined && remembered.expiresAtMs > Date.now() ? remembered : undefined;
      const first = await sendWith(access, request, current?.header, []);
      if (!isRefusal(first)) return first;
      known.delete(request.repository);
      const { response, authorization } = await authorize(access, request, first);
      if (authorization !== undefined) known.set(request.repository, authorization);
      return response;
    },
  };
}

function isRefusal({ status }: RegistryResponse): boolean {
  return status === 401 || status === 403;
}

interface Outcome {
  readonly response: RegistryResponse;
  readonly authorization?: Authorization;
}

async function authorize(
  access: RegistryAccess,
  request: PurposefulRequest,
  refusal: RegistryResponse,
): Promise<Outcome> {
  const challenges = await challengesOf(access, request, refusal);
  const candidates = await findCandidates(access, request);
  const tried: string[] = [];
  let last = refusal;
  for (const credential of [...candidates, undefined]) {
    tried.push(credential?.source ?? "anonymous access");
    const authorization = await authorizationFor(access, request, challenges, credential, tried);
    if (authorization === undefined) continue;
    await discardBody(last);
    last = await sendWith(access, request, authorization.header, tried);
    if (!isRefusal(last)) return { response: last, authorization };
  }
  throw await responseError({ registry: access.registry, purpose: request.purpose, tried }, last);
}

/** A refusal without a challenge tells nothing; the root of the API has one. */
async function challengesOf(
  access: RegistryAccess,
  request: PurposefulRequest,
  refusal: RegistryResponse,
): Promise<Challenge[]> {
  const header = refusal.headers.get("www-authenticate");
  if (header !== null) return parseChallenges(header);
  const ping = await sendWith(access, { ...request, method: "GET", url: access.url, headers: {} }, undefined, []);
  await discardBody(ping);
  return parseChallenges(ping.headers.get("www-authenticate") ?? "");
}

async function findCandidates(access: RegistryAccess, request: PurposefulRequest): Promise<readonly Credential[]> {
  const resource: RegistryResource = { registry: access.registry, repository: request.repository, actions: ["pull"] };
  const { readSecret } = access;
  const call: KeychainCall = { signal: request.signal, ...(readSecret === undefined ? {} : { readSecret }) };
  return (await access.credentials?.resolve(resource, call)) ?? [];
}

/** The header with which a credential answers a challenge; `undefined` if it cannot. */
async function authorizationFor(
  access: RegistryAccess,
  request: PurposefulRequest,
  challenges: readonly Challenge[],
  credential: Credential | undefined,
  tried: readonly string[],
): Promise<Authorization | undefined> {
  const forever = Number.POSITIVE_INFINITY;
  if (credential?.type === "registry-token")
    return { header: `Bearer ${credential.token}`, expiresAtMs: credential.expiresAtMs ?? forever };
  const bearer = challenges.find((challenge) => challenge.scheme === "bearer");
  const service = bearer && tokenService(bearer, `repository:${request.repository}:pull`, access.url);
  if (service !== undefined) {
    const subject = {
      registry: access.registry,
      purpose: `get a token from ${service.realm.origin} to ${request.purpose}`,
      tried,
    };
    return await fetchToken(service, credential, (part) =>
      sendRequest(access, { ...part, signal: request.signal }, subject),
    );
  }
  const basic = challenges.some((challenge) => challenge.scheme === "basic");
  if (!basic || credential?.type !== "basic") return undefined;
  return { header: basicHeader(credential), expiresAtMs: credential.expiresAtMs ?? forever };
}

function sendWith(
  access: RegistryAccess,
  request: PurposefulRequest,
  header: string | undefined,
  tried: readonly string[],
): Promise<RegistryResponse> {
  const { method, url, body, signal, purpose } = request;
  const headers = header === undefined ? request.headers : { ...request.headers, authorization: header };
  return sendRequest(access, { method, url, headers, body, signal }, { registry: access.registry, purpose, tried });
}
