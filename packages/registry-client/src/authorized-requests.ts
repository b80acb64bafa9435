import type { BuilderError, Credential, Keychain, KeychainCall, RegistryResource } from "@slipway/core";

import { waitUnlessAborted } from "./abortable-wait.ts";
import type { AccessCheck } from "./access-check.ts";
import type { Authorization, NoAuthorization } from "./access-token.ts";
import { basicHeader, fetchToken, tokenRealm } from "./access-token.ts";
import type { Challenge } from "./challenge.ts";
import { parseChallenges } from "./challenge.ts";
import { maxDiagnosticsBytes, parseDiagnostics } from "./registry-diagnostics.ts";
import type { CandidateAnswer } from "./registry-error.ts";
import { responseError, unauthorizedError } from "./registry-error.ts";
import { sendRequest } from "./registry-requests.ts";
import type { RequestSender, SentRequest } from "./registry-requests.ts";
import type { RegistryResponse } from "./registry-transport.ts";
import { isRequestStream } from "./registry-transport.ts";
import type { ScopedRequest } from "./request-scopes.ts";
import { coversScopes, mergeScopes, requestScopes, scopesToAsk, splitScopes } from "./request-scopes.ts";
import { discardBody, readBody, withBody } from "./response-body.ts";
import { createTokenCache } from "./token-cache.ts";
import type { TokenCache } from "./token-cache.ts";

/** A request, what it is for, and which rights it needs. */
export interface PurposefulRequest extends SentRequest, ScopedRequest {
  readonly purpose: string;
}

/** An answer, and whose credentials have brought it. */
export interface Answer extends AccessCheck {
  readonly response: RegistryResponse;
}

/** Sends requests with whatever authorization the registry asks for. */
export interface AuthorizedSender {
  /** The answer to a request, also an unhappy one, but never a demand for credentials. @throws `REGISTRY_UNAUTHORIZED`, `REGISTRY_UNAVAILABLE` */
  send(request: PurposefulRequest): Promise<Answer>;
}

/** What authorization needs to know about a registry. */
export interface RegistryAccess extends RequestSender {
  readonly registry: string;
  readonly url: URL;
  readonly credentials: Keychain | undefined;
  readonly keychainCall: Omit<KeychainCall, "signal">;
}

/** What nobody's credentials are called. */
export const anonymous = "anonymous access";
const nobody: AccessCheck = { source: anonymous };

/** What was accepted for some scopes, and is used until it expires or is refused. */
interface Winner extends AccessCheck {
  /** Absent where the registry asks for none. */
  readonly authorization?: Authorization;
}

interface Session {
  readonly access: RegistryAccess;
  readonly tokens: TokenCache;
  readonly winners: Map<string, Winner>;
  /** Who has seen something in which repository: what is not there for them is not there. */
  readonly proven: Set<string>;
  /** How the registry wants to be asked, once it has said so. */
  challenges?: readonly Challenge[];
}

/**
 * Learns from the registry's first refusal how to authorize, tries the candidates of the keychain in their order, and last nobody. What worked
 * for a repository and what was done there is used until it expires or is refused; then the keychain is asked again, so that a rotated secret
 * counts from the next request on.
 */
export function createAuthorizedSender(access: RegistryAccess): AuthorizedSender {
  const session: Session = { access, tokens: createTokenCache(), winners: new Map(), proven: new Set() };
  const learning = new Map<string, Promise<unknown>>();
  return {
    async send(request) {
      // Where a registry sends its clients is no business of its credentials.
      if (request.url.origin !== access.url.origin) return await sendWith(session, request, undefined);
      const key = requestScopes(request).join(" ");
      // One request finds out for all that need the same rights.
      const first = learning.get(key);
      if (first !== undefined)
        await waitUnlessAborted(
          first.catch(() => undefined),
          request.signal,
        );
      const winner = session.winners.get(key);
      if (winner !== undefined && !isExpired(winner)) return await sendAs(session, request, key, winner);
      const learned = learn(session, request, key);
      if (isRequestStream(request.body)) return await learned;
      learning.set(key, learned);
      try {
        return await learned;
      } finally {
        if (learning.get(key) === learned) learning.delete(key);
      }
    },
  };
}

function isExpired({ authorization }: Winner): boolean {
  return authorization !== undefined && authorization.expiresAtMs <= Date.now();
}

async function sendAs(session: Session, request: PurposefulRequest, key: string, winner: Winner): Promise<Answer> {
  const { authorization, ...asker } = winner;
  const answer = await sendWith(session, request, authorization, asker);
  const { response } = answer;
  if (!isRefusal(response)) {
    const isHidden = response.status === 404 && (await hasMoreToTry(session, request, winner.source));
    return isHidden ? await authorize(session, request, key, response, winner.source) : noted(session, request, answer);
  }
  if (session.winners.get(key) === winner) session.winners.delete(key);
  if (authorization !== undefined) session.tokens.forget(authorization.header);
  if (isRequestStream(request.body)) throw await refusedStream(session, request, answer);
  return await authorize(session, request, key, response);
}

/** A registry that has asked for credentials once is not asked without: it would only say so again. */
async function learn(session: Session, request: PurposefulRequest, key: string): Promise<Answer> {
  if (session.challenges === undefined && isRequestStream(request.body)) await ping(session, request);
  if (session.challenges !== undefined && session.challenges.length > 0)
    return await authorize(session, request, key, undefined);
  const answer = await sendWith(session, request, undefined);
  const { response } = answer;
  if (isRefusal(response) && isRequestStream(request.body)) throw await refusedStream(session, request, answer);
  if (isRefusal(response)) return await authorize(session, request, key, response);
  const isHidden = response.status === 404 && (await hasMoreToTry(session, request, anonymous));
  if (isHidden && (session.challenges ?? (await ping(session, request))).length > 0)
    return await authorize(session, request, key, response);
  session.winners.set(key, { source: anonymous });
  return noted(session, request, answer);
}

/** A stream is gone once it was sent: whoever has another one may try again, and the keychain is asked anew then. */
async function refusedStream(
  session: Session,
  request: PurposefulRequest,
  { response, source }: Answer,
): Promise<BuilderError> {
  await challengesFor(session, request, response);
  const { said, text } = await readAnswer(response, source);
  const { registry } = session.access;
  return unauthorizedError({ registry, purpose: request.purpose }, response.status, said, [{ source, answer: text }]);
}

function noted(session: Session, { repository }: PurposefulRequest, answer: Answer): Answer {
  if (answer.response.ok && repository !== undefined) session.proven.add(`${answer.source} ${repository}`);
  return answer;
}

function isRefusal({ status }: RegistryResponse): boolean {
  return status === 401 || status === 403;
}

/** Registries call private what somebody may not see, or say that it is not there. A stream cannot find out. */
function mayBeHidden({ method, actions, body }: PurposefulRequest): boolean {
  if (isRequestStream(body)) return false;
  return method === "GET" || method === "HEAD" || (method === "POST" && actions.includes("push"));
}

async function hasMoreToTry(session: Session, request: PurposefulRequest, source: string): Promise<boolean> {
  if (!mayBeHidden(request) || session.proven.has(`${source} ${request.repository ?? ""}`)) return false;
  const candidates = await findCandidates(session, request);
  return candidates.some((candidate) => candidate.source !== source);
}

/**
 * Tries one candidate after the other, and tells of each one what was answered to it.
 *
 * @param refusal - What was answered before; without it the registry has not been asked yet.
 * @param done - Whose credentials that was the answer to.
 */
async function authorize(
  session: Session,
  request: PurposefulRequest,
  key: string,
  refusal: RegistryResponse | undefined,
  done?: string,
): Promise<Answer> {
  const challenges = await challengesFor(session, request, refusal);
  const candidates = (await findCandidates(session, request)).filter(({ source }) => source !== done);
  const answers: CandidateAnswer[] = [];
  let last = refusal && (await readAnswer(refusal, done ?? anonymous));
  let missing = last?.response.status === 404 ? last : undefined;
  for (const [index, credential] of withAnonymous(request, candidates).entries()) {
    // Nobody in particular sees less than somebody.
    if (credential === undefined && missing !== undefined) break;
    const source = credential?.source ?? anonymous;
    const outcome = await tryCandidate(session, request, challenges, credential);
    if ("answer" in outcome) {
      answers.push({ source, answer: outcome.answer });
      continue;
    }
    const { response, authorization } = outcome;
    const isMissing = response.status === 404 && mayBeHidden(request);
    if (!isRefusal(response) && !(isMissing && (missing !== undefined || index < candidates.length - 1))) {
      session.winners.set(key, { source, credential, authorization });
      if (credential === undefined) warnOfAnonymous(session, request, answers);
      return noted(session, request, { response, source, credential });
    }
    const read = await readAnswer(response, source);
    answers.push({ source, answer: read.text });
    if (isMissing) {
      if (missing === undefined) session.winners.set(key, { source, credential, authorization });
      missing ??= read;
    } else last = read;
    if (isRequestStream(request.body)) break;
  }
  if (missing !== undefined) return missing;
  const { registry } = session.access;
  if (answers.length === 0) answers.push({ source: anonymous, answer: last?.text ?? "no credentials were found" });
  throw unauthorizedError({ registry, purpose: request.purpose }, last?.response.status, last?.said ?? [], answers);
}

/** Nobody may push anywhere that somebody may not; and of those that have no credentials at all, nothing else can be tried. */
function withAnonymous(
  { actions }: PurposefulRequest,
  candidates: readonly Credential[],
): readonly (Credential | undefined)[] {
  const isRead = actions.every((action) => action === "pull");
  return isRead || candidates.length === 0 ? [...candidates, undefined] : candidates;
}

function warnOfAnonymous(
  { access }: Session,
  { purpose }: PurposefulRequest,
  answers: readonly CandidateAnswer[],
): void {
  if (answers.length === 0) return;
  const refused = answers.map(({ source, answer }) => `${source}: ${answer}`).join("; ");
  access.keychainCall.warn?.(`${access.registry} let nobody in particular ${purpose}, after refusing ${refused}`);
}

type Attempted = NoAuthorization | { readonly response: RegistryResponse; readonly authorization: Authorization };

/** Sends the request once, and once more if the registry then names further scopes. */
async function tryCandidate(
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

interface ReadAnswer extends Answer {
  readonly text: string;
  readonly said: readonly string[];
}

/** Reads what a registry says, and keeps it for whoever gets the answer in the end. */
async function readAnswer(response: RegistryResponse, source: string): Promise<ReadAnswer> {
  const bytes = await readBody(response, maxDiagnosticsBytes, "truncate").catch(() => new Uint8Array());
  const said = parseDiagnostics(bytes);
  const text = `${response.status}${said.length > 0 ? ` (${said.join("; ").slice(0, 200)})` : ""}`;
  return { response: withBody(response, bytes), source, text, said };
}

/** A refusal without a challenge tells nothing; the root of the API has one. */
async function challengesFor(
  session: Session,
  request: PurposefulRequest,
  refusal: RegistryResponse | undefined,
): Promise<readonly Challenge[]> {
  const challenges = parseChallenges(refusal?.headers.get("www-authenticate") ?? "");
  if (challenges.length > 0) {
    // Scopes are of this request; the next one has its own.
    session.challenges = challenges.map(withoutScope);
    return challenges;
  }
  return session.challenges ?? (await ping(session, request));
}

async function ping(session: Session, request: PurposefulRequest): Promise<readonly Challenge[]> {
  const { url } = session.access;
  const { response } = await sendWith(
    session,
    { ...request, method: "GET", url, headers: {}, body: undefined },
    undefined,
  );
  await discardBody(response);
  const challenges = parseChallenges(response.headers.get("www-authenticate") ?? "").map(withoutScope);
  session.challenges = challenges;
  return challenges;
}

function withoutScope({ scheme, parameters }: Challenge): Challenge {
  return { scheme, parameters: Object.fromEntries(Object.entries(parameters).filter(([name]) => name !== "scope")) };
}

async function findCandidates({ access }: Session, request: PurposefulRequest): Promise<readonly Credential[]> {
  const { repository, actions, signal } = request;
  const resource: RegistryResource = {
    registry: access.registry,
    ...(repository === undefined ? {} : { repository }),
    actions,
  };
  return (await access.credentials?.resolve(resource, { ...access.keychainCall, signal })) ?? [];
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
  const { signal, deadlineMs } = request;
  return await tokens.get(service, credential, signal, () =>
    fetchToken(service, credential, async (part) => {
      const response = await sendRequest(access, { ...part, signal, deadlineMs, repeatable: true }, subject);
      if (response.status < 500 && response.status !== 429 && response.status !== 408) return response;
      throw await responseError(subject, response);
    }),
  );
}

async function sendWith(
  { access }: Session,
  request: PurposefulRequest,
  authorization: Authorization | undefined,
  asker: AccessCheck = nobody,
): Promise<Answer> {
  const { method, url, body, signal, deadlineMs, repeatable, bulk, purpose } = request;
  const headers =
    authorization === undefined ? request.headers : { ...request.headers, authorization: authorization.header };
  const subject = { registry: access.registry, purpose, tried: [] };
  const sent = { method, url, headers, body, signal, deadlineMs, repeatable, bulk };
  return { response: await sendRequest(access, sent, subject), ...asker };
}
