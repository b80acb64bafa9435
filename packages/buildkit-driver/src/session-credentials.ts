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
    const best = areDifferent(candidates) ? await firstAccepted(host, candidates, accepts) : candidates[0];
    return best === undefined ? undefined : usernameAndSecret(best);
  };
}

/** If none is, the daemon's error is that of the first. */
async function firstAccepted(
  host: string,
  candidates: readonly UsableCredential[],
  accepts: AcceptsLogin,
): Promise<UsableCredential | undefined> {
  for (const candidate of candidates) {
    if (candidate.type === "basic" && (await accepts(host, candidate))) return candidate;
  }
  return candidates[0];
}

/** BuildKit takes an identity token as the password of nobody. */
function usernameAndSecret(credential: UsableCredential): { username: string; secret: string } {
  return credential.type === "basic"
    ? { username: credential.username, secret: credential.password }
    : { username: "", secret: credential.token };
}
