import { isDeepStrictEqual } from "node:util";

import type { BuilderError, Credential, RegistryResource } from "@slipway/core";
import { unlessAborted } from "@slipway/core/errors";

import type { AccessCheck } from "./access-check.ts";
import type { Answer, PurposefulRequest, RegistryAccess, Session, Winner } from "./access-session.ts";
import { anonymous, isRefusal, nobody, sendWith } from "./access-session.ts";
import { challengesFor, learnChallenges } from "./learned-challenges.ts";
import { maxDiagnosticsBytes, parseDiagnostics } from "./registry-diagnostics.ts";
import type { CandidateAnswer } from "./registry-error.ts";
import { abortError, unauthorizedError } from "./registry-error.ts";
import type { RegistryResponse } from "./registry-transport.ts";
import { isRequestStream } from "./registry-transport.ts";
import { requestScopes } from "./request-scopes.ts";
import { readBody, withBody } from "./response-body.ts";
import { createTokenCache } from "./token-cache.ts";
import { tryCandidate } from "./try-candidate.ts";

/** Sends requests with whatever authorization the registry asks for. */
export interface AuthorizedSender {
  /** The answer to a request, also an unhappy one, but never a demand for credentials. @throws `REGISTRY_UNAUTHORIZED`, `REGISTRY_UNAVAILABLE` */
  send(request: PurposefulRequest): Promise<Answer>;
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
        await unlessAborted(
          first.catch(() => undefined),
          request.signal,
          abortError,
        );
      const winner = session.winners.get(key);
      if (winner !== undefined && !isExpired(winner)) return await sendAs(session, request, key, winner);
      const learned = learn(session, request, key);
      // What carries something may be under way for minutes, longer than others may wait; tokens are shared anyway.
      if (request.body !== undefined) return await learned;
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
    const isHidden = response.status === 404 && (await hasMoreToTry(session, request, winner));
    return isHidden ? await authorize(session, request, key, response, winner) : noted(session, request, answer);
  }
  if (session.winners.get(key) === winner) session.winners.delete(key);
  if (authorization !== undefined) session.tokens.forget(authorization.header);
  if (isRequestStream(request.body)) throw await refusedStream(session, request, answer);
  return await authorize(session, request, key, response);
}

/** A registry that has asked for credentials once is not asked without: it would only say so again. */
async function learn(session: Session, request: PurposefulRequest, key: string): Promise<Answer> {
  if (session.challenges === undefined && isRequestStream(request.body)) await learnChallenges(session, request);
  if (session.challenges !== undefined && session.challenges.length > 0)
    return await authorize(session, request, key, undefined);
  const answer = await sendWith(session, request, undefined);
  const { response } = answer;
  if (isRefusal(response) && isRequestStream(request.body)) throw await refusedStream(session, request, answer);
  if (isRefusal(response)) return await authorize(session, request, key, response);
  const isHidden = response.status === 404 && (await hasMoreToTry(session, request, nobody));
  if (isHidden && (session.challenges ?? (await learnChallenges(session, request))).length > 0)
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

/** Registries call private what somebody may not see, or say that it is not there. A stream cannot find out. */
function mayBeHidden({ method, actions, body }: PurposefulRequest): boolean {
  if (isRequestStream(body)) return false;
  return method === "GET" || method === "HEAD" || (method === "POST" && actions.includes("push"));
}

async function hasMoreToTry(
  session: Session,
  request: PurposefulRequest,
  { source, credential }: AccessCheck,
): Promise<boolean> {
  if (!mayBeHidden(request) || session.proven.has(`${source} ${request.repository ?? ""}`)) return false;
  const candidates = await findCandidates(session, request);
  return candidates.some((candidate) => !isDeepStrictEqual(candidate, credential));
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
  done?: AccessCheck,
): Promise<Answer> {
  const challenges = await challengesFor(session, request, refusal);
  // By their values: one source may have several.
  const candidates = (await findCandidates(session, request)).filter(
    (candidate) => !isDeepStrictEqual(candidate, done?.credential),
  );
  const answers: CandidateAnswer[] = [];
  let last = refusal && (await readAnswer(refusal, done?.source ?? anonymous));
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
      const isLast = credential === undefined && answers.length > 0;
      const check = { source, credential, ...(isLast && { refused: answers.map((each) => each.source) }) };
      session.winners.set(key, { ...check, authorization });
      if (credential === undefined) warnOfAnonymous(session, request, answers);
      return noted(session, request, { response, ...check });
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

async function findCandidates({ access }: Session, request: PurposefulRequest): Promise<readonly Credential[]> {
  const { repository, actions, signal } = request;
  const resource: RegistryResource = {
    registry: access.registry,
    ...(repository === undefined ? {} : { repository }),
    actions,
  };
  return (await access.credentials?.resolve(resource, { ...access.keychainCall, signal })) ?? [];
}
