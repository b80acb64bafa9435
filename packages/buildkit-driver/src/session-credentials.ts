import type { BuildSession } from "@slipway/buildkit-client";
import { isSameCredential, type Keychain, type KeychainCall } from "@slipway/core";

import { areDifferent, usableCandidates, type UsableCredential, type UsedRepositories } from "./credential-scopes.ts";

/** Whether a registry with Basic authentication knows a user. */
export type AcceptsLogin = (registry: string, login: { username: string; password: string }) => Promise<boolean>;

/** What a build needs credentials for. */
export interface CredentialUse {
  readonly keychain: Keychain;
  readonly keychainCall: KeychainCall;
  /** Asked only for hosts that have several credentials. */
  readonly repositories: UsedRepositories;
}

/**
 * Answers the daemon's question for credentials from a keychain, anew each time, so that a rotated secret counts at once. The daemon tries what it
 * gets and nothing else: of several candidates it gets the first that the registry accepts, those for the repositories of the build before others.
 */
export function sessionCredentials(use: CredentialUse, accepts: AcceptsLogin): BuildSession["credentials"] {
  return async (host) => {
    const logins = await loginsFor(use, host);
    const best = areDifferent(logins) ? await firstAccepted(host, await byUse(use, host, logins), accepts) : logins[0];
    if (best === undefined) return undefined;
    const { sessionCredential } = await import("@slipway/secret-merging");
    return sessionCredential(best);
  };
}

async function loginsFor(
  { keychain, keychainCall }: CredentialUse,
  host: string,
  repository?: string,
): Promise<readonly Login[]> {
  const resource = {
    registry: host,
    ...(repository === undefined ? {} : { repository }),
    actions: ["pull", "push"] as const,
  };
  const candidates = await usableCandidates(keychain, resource, keychainCall);
  return candidates.filter((candidate): candidate is Login => candidate.type !== "registry-token");
}

/** A registry knows users whose credentials are for other repositories, too: it accepts them, and refuses the push at the end. */
async function byUse(use: CredentialUse, host: string, logins: readonly Login[]): Promise<readonly Login[]> {
  const repositories = await use.repositories(host);
  const inUse = await Promise.all(repositories.map((repository) => loginsFor(use, host, repository)));
  const all = [...inUse.flat(), ...logins];
  return all.filter((login, index) => all.findIndex((other) => isSameCredential(other, login)) === index);
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
