import type { Keychain, KeychainCall } from "@slipway/core";

import type { AccessCheck } from "./access-check.ts";
import type { Authorization } from "./access-token.ts";
import type { Challenge } from "./challenge.ts";
import { sendRequest } from "./registry-requests.ts";
import type { RequestSender, SentRequest } from "./registry-requests.ts";
import type { RegistryResponse } from "./registry-transport.ts";
import type { ScopedRequest } from "./request-scopes.ts";
import type { TokenCache } from "./token-cache.ts";

/** A request, what it is for, and which rights it needs. */
export interface PurposefulRequest extends SentRequest, ScopedRequest {
  readonly purpose: string;
}

/** An answer, and whose credentials have brought it. */
export interface Answer extends AccessCheck {
  readonly response: RegistryResponse;
}

/** What authorization needs to know about a registry. */
export interface RegistryAccess extends RequestSender {
  readonly registry: string;
  readonly credentials: Keychain | undefined;
  readonly keychainCall: Omit<KeychainCall, "signal">;
}

/** What nobody's credentials are called. */
export const anonymous = "anonymous access";
/** Who asks without credentials. */
export const nobody: AccessCheck = { source: anonymous };

/** What was accepted for some scopes, and is used until it expires or is refused. */
export interface Winner extends AccessCheck {
  /** Absent where the registry asks for none. */
  readonly authorization?: Authorization;
}

/** What was learned about a registry so far. */
export interface Session {
  readonly access: RegistryAccess;
  readonly tokens: TokenCache;
  readonly winners: Map<string, Winner>;
  /** Who has seen something in which repository: what is not there for them is not there. */
  readonly proven: Set<string>;
  /** How the registry wants to be asked, once it has said so. */
  challenges?: readonly Challenge[];
}

/** Sends a request as somebody. */
export async function sendWith(
  { access }: Session,
  request: PurposefulRequest,
  authorization: Authorization | undefined,
  asker: AccessCheck = nobody,
): Promise<Answer> {
  const { method, url, body, signal, answerTime, repeatable, bulk, purpose } = request;
  const headers =
    authorization === undefined ? request.headers : { ...request.headers, authorization: authorization.header };
  const subject = { registry: access.registry, purpose, tried: [] };
  const sent = { method, url, headers, body, signal, answerTime, repeatable, bulk };
  return { response: await sendRequest(access, sent, subject), ...asker };
}

/** Whether a registry wants somebody else to ask. */
export function isRefusal({ status }: RegistryResponse): boolean {
  return status === 401 || status === 403;
}
