import type { Credential } from "@slipway/core";

import type { PurposefulRequest, Session } from "./access-session.ts";
import { isRefusal, sendWith } from "./access-session.ts";
import type { Authorization, NoAuthorization } from "./access-token.ts";
import { basicHeader, fetchToken, tokenRealm } from "./access-token.ts";
import type { Challenge } from "./challenge.ts";
import { parseChallenges } from "./challenge.ts";
import { responseError } from "./registry-error.ts";
import { sendRequest } from "./registry-requests.ts";
import type { RegistryResponse } from "./registry-transport.ts";
import { isRequestStream } from "./registry-transport.ts";
import { coversScopes, mergeScopes, requestScopes, scopesToAsk, splitScopes } from "./request-scopes.ts";
import { discardBody } from "./response-body.ts";

/** What a registry has answered to a credential, or why it cannot be asked with it. */
export type Attempted =
  NoAuthorization | { readonly response: RegistryResponse; readonly authorization: Authorization };

/** Sends the request once, and once more if the registry then names further scopes. */
export async function tryCandidate(
  session: Session,
  request: PurposefulRequest,
  challenges: readonly Challenge[],
  credential: Credential | undefined,
): Promise<Attempted> {
  const needed = requestScopes(request);
  const authorization = await authorizationFor(session, request, challenges, credential, needed);
  if (!("header" in authorization)) return authorization;
  const { response } = await sendWith(session, request, authorization);
  const wider = isRefusal(response) ? scopesBeyond(response, needed, challenges) : undefined;
  if (wider === undefined || isRequestStream(request.body)) return { response, authorization };
  const again = await authorizationFor(session, request, wider.challenges, credential, wider.scopes);
  if (!("header" in again) || again.header === authorization.header) return { response, authorization };
  await discardBody(response);
  return { response: (await sendWith(session, request, again)).response, authorization: again };
}

/** `insufficient_scope`, or a challenge with scopes that were not asked for. */
function scopesBeyond(
  response: RegistryResponse,
  needed: readonly string[],
  before: readonly Challenge[],
): { readonly scopes: readonly string[]; readonly challenges: readonly Challenge[] } | undefined {
  const challenges = parseChallenges(response.headers.get("www-authenticate") ?? "");
  const bearer = challenges.find(({ scheme }) => scheme === "bearer");
  const asked = splitScopes(bearer?.parameters["scope"]);
  const had = before.find(({ scheme }) => scheme === "bearer")?.parameters["scope"];
  const granted = scopesToAsk(needed, had);
  if (asked.length === 0 || coversScopes(granted, asked)) return undefined;
  return { scopes: mergeScopes([...granted, ...asked]), challenges };
}

/** The header with which a credential answers a challenge, or why it cannot. */
async function authorizationFor(
  session: Session,
  request: PurposefulRequest,
  challenges: readonly Challenge[],
  credential: Credential | undefined,
  scopes: readonly string[],
): Promise<Authorization | NoAuthorization> {
  const expiresAtMs = credential?.expiresAtMs ?? Number.POSITIVE_INFINITY;
  if (credential?.type === "registry-token") return { header: `Bearer ${credential.token}`, expiresAtMs };
  if (credential?.type === "helper")
    return { answer: `docker-credential-${credential.helper} runs only where the builder lives` };
  const reasons: string[] = [];
  for (const challenge of challenges) {
    if (challenge.scheme === "basic" && credential?.type === "basic")
      return { header: basicHeader(credential), expiresAtMs };
    if (challenge.scheme !== "bearer") continue;
    const outcome = await bearerFor(session, request, challenge, credential, scopes);
    if ("header" in outcome) return outcome;
    reasons.push(outcome.answer);
  }
  return { answer: reasons.length > 0 ? reasons.join("; ") : whyUnusable(challenges, credential) };
}

function whyUnusable(challenges: readonly Challenge[], credential: Credential | undefined): string {
  const schemes = challenges.map(({ scheme }) => scheme);
  if (schemes.length === 0) return "the registry does not say how to authorize";
  if (!schemes.includes("basic")) return `the registry asks for ${schemes.join(", ")}, which is unknown here`;
  return credential === undefined ? "the registry asks for a password" : `the registry takes no ${credential.type}`;
}

async function bearerFor(
  session: Session,
  request: PurposefulRequest,
  challenge: Challenge,
  credential: Credential | undefined,
  needed: readonly string[],
): Promise<Authorization | NoAuthorization> {
  const { access, tokens } = session;
  const realm = tokenRealm(challenge, access.url);
  if (typeof realm === "string") return { answer: realm };
  const scopes = scopesToAsk(needed, challenge.parameters["scope"]);
  const service = { realm, service: challenge.parameters["service"], scopes };
  const purpose = `get a token from ${realm.origin} to ${request.purpose}`;
  const subject = { registry: access.registry, purpose, tried: credential === undefined ? [] : [credential.source] };
  const { signal } = request;
  // What stores a blob may take longer than those who wait for the same token.
  const isPatient = request.answerTime !== undefined && request.answerTime.leftMs > access.answerTimeoutMs;
  const answerTime = isPatient ? undefined : request.answerTime;
  return await tokens.get(service, credential, signal, () =>
    fetchToken(service, credential, async (part) => {
      const response = await sendRequest(access, { ...part, signal, answerTime, repeatable: true }, subject);
      if (response.status < 500 && response.status !== 429 && response.status !== 408) return response;
      throw await responseError(subject, response);
    }),
  );
}
