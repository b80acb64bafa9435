import type { Credential } from "@slipway/core";

/** Without a word about their end: enough for the questions of one moment, too short to miss a new login. */
const unknownLifetimeMs = 5_000;
const longestMs = 5 * 60_000;
/** What is left of its life when credentials are asked for anew. */
const reservedFraction = 0.2;

/** Keeps credentials that are costly to get, but never beyond their end. */
export interface CredentialCache {
  /** One question at a time per key; whoever asks meanwhile gets the same answer. Neither failures nor empty answers are kept. */
  get(key: string, signal: AbortSignal, ask: () => Promise<Credential | undefined>): Promise<Credential | undefined>;
}

interface Kept {
  readonly credential: Credential;
  readonly untilMs: number;
}

/** Makes an empty cache. `now` is for tests. */
export function createCredentialCache(now: () => number = Date.now): CredentialCache {
  const kept = new Map<string, Kept>();
  const asked = new Map<string, Promise<Credential | undefined>>();
  const askOnce = (key: string, ask: () => Promise<Credential | undefined>): Promise<Credential | undefined> => {
    const asking = ask()
      .then((credential) => {
        if (credential !== undefined) kept.set(key, { credential, untilMs: keepUntil(credential, now()) });
        return credential;
      })
      .finally(() => asked.delete(key));
    asked.set(key, asking);
    return asking;
  };
  return {
    get: async (key, signal, ask) => {
      const held = kept.get(key);
      if (held !== undefined && held.untilMs > now()) return held.credential;
      const others = asked.get(key);
      if (others === undefined) return askOnce(key, ask);
      try {
        return await others;
      } catch (error) {
        // Who asked first may have left; that is no reason for who comes second.
        if (signal.aborted || !isAborted(error)) throw error;
        return askOnce(key, ask);
      }
    },
  };
}

/** Until when a credential may be kept, in epoch milliseconds. */
export function keepUntil({ expiresAtMs }: Credential, nowMs: number): number {
  if (expiresAtMs === undefined) return nowMs + unknownLifetimeMs;
  return nowMs + Math.max(0, Math.min(longestMs, (expiresAtMs - nowMs) * (1 - reservedFraction)));
}

function isAborted(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ABORTED";
}
