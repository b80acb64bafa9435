import type { Credential } from "@slipway/core";

import { fetchToken, tokenRealm } from "./access-token.ts";
import type { RegistryCall } from "./registry-call.ts";
import type { RegistryRequest, RegistryResponse } from "./registry-transport.ts";
import type { RequestSender } from "./registry-requests.ts";
import { sendRequest } from "./registry-requests.ts";

/** A token that somebody else wants to ask the registry with: BuildKit, for example, which names what it needs. */
export interface TokenRequest {
  /** Of the token service, as the registry's challenge names it. */
  readonly realm: string;
  readonly service?: string | undefined;
  /** `repository:team/app:pull,push` */
  readonly scopes: readonly string[];
  /** @defaultValue nobody's: a token for what everybody may do */
  readonly credential?: Credential | undefined;
}

/** A token of a registry's token service. */
export interface RegistryToken {
  readonly token: string;
  /** When a new one should be asked for, in epoch milliseconds: before this one is over. */
  readonly renewAtMs: number;
  /** What it allows, where it says so: a service grants what it is willing to, which may be nothing. */
  readonly granted?: readonly GrantedScope[];
}

/** What a token allows in one repository. */
export interface GrantedScope {
  readonly repository: string;
  /** `*` is every action. */
  readonly actions: readonly string[];
}

/** Where a token is asked for. */
export interface TokenAccess extends RequestSender {
  readonly registry: string;
}

/**
 * Asks a token service. `undefined` if it refuses this credential, or if its address is none to which credentials may be sent.
 *
 * @throws `REGISTRY_UNAVAILABLE`
 */
export async function fetchRegistryToken(
  access: TokenAccess,
  { realm: address, service, scopes, credential }: TokenRequest,
  { signal = new AbortController().signal }: RegistryCall = {},
): Promise<RegistryToken | undefined> {
  const realm = tokenRealm({ scheme: "bearer", parameters: { realm: address } }, access.url);
  if (typeof realm === "string" || credential?.type === "helper") return undefined;
  if (credential?.type === "registry-token")
    return describe(credential.token, credential.expiresAtMs ?? Date.now() + unknownLifetimeMs);
  const subject = {
    registry: access.registry,
    purpose: `get a token from ${realm.origin}`,
    tried: credential === undefined ? [] : [credential.source],
  };
  const send = (part: Pick<RegistryRequest, "method" | "url" | "headers" | "body">): Promise<RegistryResponse> =>
    sendRequest(access, { ...part, signal }, subject);
  const outcome = await fetchToken({ realm, service, scopes }, credential, send);
  if ("answer" in outcome) return undefined;
  return describe(outcome.header.replace(/^Bearer /, ""), outcome.expiresAtMs);
}

/** Of a token that was given, not fetched; whoever uses it asks again then, and gets the one that is given by that time. */
const unknownLifetimeMs = 60_000;

function describe(token: string, renewAtMs: number): RegistryToken {
  const granted = grantedScopes(token);
  return { token, renewAtMs, ...(granted === undefined ? {} : { granted }) };
}

/** Tokens of distribution are JSON Web Tokens with a claim `access`; others say nothing. */
function grantedScopes(token: string): readonly GrantedScope[] | undefined {
  const [, payload] = token.split(".");
  if (payload === undefined) return undefined;
  try {
    const { access } = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as { access?: unknown };
    if (!Array.isArray(access)) return undefined;
    return (access as { type?: unknown; name?: unknown; actions?: unknown }[]).flatMap(({ type, name, actions }) =>
      type === "repository" && typeof name === "string" && Array.isArray(actions)
        ? [{ repository: name, actions: actions.map(String) }]
        : [],
    );
  } catch {
    return undefined;
  }
}
