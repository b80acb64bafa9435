import type { BuildSession } from "@slipway/buildkit-client";
import type { Keychain, KeychainCall } from "@slipway/core";

import { areDifferent, usableCandidates, type UsableCredential } from "./credential-scopes.ts";

/** Whether a registry with Basic authentication knows a user. */
export type AcceptsLogin = (registry: string, login: { username: string; password: string }) => Promise<boolean>;

/**
 * Answers the daemon's question for credentials from a keychain, anew each time, so that a rotated secret counts at once. The daemon tries what it
 * gets and nothing else: of several candidates it gets the first that the registry accepts.
 */
export function sessionCredentials(
  keychain: Keychain,
  accepts: AcceptsLogin,
  call: KeychainCall,
): BuildSession["credentials"] {
  return async (host) => {
    const candidates = await usableCandidates(keychain, { registry: host, actions: ["pull", "push"] }, call);
    const logins = candidates.filter((candidate): candidate is Login => candidate.type !== "registry-token");
    const best = areDifferent(logins) ? await firstAccepted(host, logins, accepts) : logins[0];
    if (best === undefined) return undefined;
    const { sessionCredential } = await import("@slipway/secret-merging");
    return sessionCredential(best);
  };
}

/** If none is, the daemon's error is that of the first. */
async function firstAccepted(
  host: string,
  candidates: readonly Login[],
  accepts: AcceptsLogin,
): Promise<Login | undefined> {
  for (const candidate of candidates) {
    if (candidate.type === "basic" && (await accepts(host, candidate))) return candidate;
  }
  return candidates[0];
}

/** A token that is meant for the registry itself is none of these: it goes by way of `scopedTokens`. */
type Login = Exclude<UsableCredential, { type: "registry-token" }>;
