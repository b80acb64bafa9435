import { unlessAborted } from "@slipway/core";
import type { Credential } from "@slipway/core";

import { abortedError } from "./aborted-error.ts";

/** Without a word about their end: enough for the questions of one moment, too short to miss a new login. */
const unknownLifetimeMs = 5_000;
const longestMs = 5 * 60_000;
/** What is left of its life when credentials are asked for anew. */
const reservedFraction = 0.2;
/** What an answer may still take once who asked for it has left: not every source ends with them, and what it says is as good. */
const graceMs = 500;

/** Keeps credentials that are costly to get, but never beyond their end. */
export interface CredentialCache {
  /**
   * One question at a time per key; whoever asks meanwhile gets the same answer. Once who has asked leaves, nobody else joins, and those who had
   * joined ask anew unless the answer comes at once. Neither failures nor empty answers are kept. Rejects once the signal fires, whatever becomes
   * of the question.
   */
  get(key: string, signal: AbortSignal, ask: () => Promise<Credential | undefined>): Promise<Credential | undefined>;
}

interface Kept {
  readonly credential: Credential;
  readonly untilMs: number;
}

interface Question {
  readonly answer: Promise<Credential | undefined>;
  /** Of who has asked: its end may be that of the question. */
  readonly signal: AbortSignal;
}

/** Makes an empty cache. `now` is for tests. */
export function createCredentialCache(now: () => number = Date.now): CredentialCache {
  const kept = new Map<string, Kept>();
  const asked = new Map<string, Question>();
  const begin = (key: string, signal: AbortSignal, ask: () => Promise<Credential | undefined>): Question => {
    // One that was given up may end after a later one has begun.
    const isCurrent = (): boolean => asked.get(key) === question;
    const answer = ask()
      .then((credential) => {
        if (credential !== undefined && isCurrent())
          kept.set(key, { credential, untilMs: keepUntil(credential, now()) });
        return credential;
      })
      .finally(() => isCurrent() && asked.delete(key));
    const question = { answer, signal };
    asked.set(key, question);
    return question;
  };
  const get: CredentialCache["get"] = async (key, signal, ask) => {
    const held = kept.get(key);
    if (held !== undefined && held.untilMs > now()) return held.credential;
    if (signal.aborted) throw abortedError(signal);
    const current = asked.get(key);
    const question = current === undefined || current.signal.aborted ? begin(key, signal, ask) : current;
    try {
      return await unlessAborted(question.answer, AbortSignal.any([signal, question.signal]), abortedError);
    } catch (error) {
      // That somebody else has left, in whatever words, is no reason for who is still here.
      if (!question.signal.aborted) throw error;
      const patience = AbortSignal.any([signal, AbortSignal.timeout(graceMs)]);
      return await unlessAborted(question.answer, patience, abortedError).catch(() => get(key, signal, ask));
    }
  };
  return { get };
}

/** Until when a credential may be kept, in epoch milliseconds. */
export function keepUntil({ expiresAtMs }: Credential, nowMs: number): number {
  if (expiresAtMs === undefined) return nowMs + unknownLifetimeMs;
  return nowMs + Math.max(0, Math.min(longestMs, (expiresAtMs - nowMs) * (1 - reservedFraction)));
}
