import { credentialPath } from "@slipway/core";
import type { Credential, Keychain, KeychainCall, RegistryResource } from "@slipway/core";

import { findConflicts, formatConflict, withoutDuplicates } from "./credential-conflict.ts";
import type { RankedCredential } from "./keychain-content.ts";
import { keychainOf, leavesOf, originOfCredential, rankOfCredential, sourceOf } from "./keychain-content.ts";
import { canonicalHost, exactHostRank, formatRegistryScope } from "./registry-scope.ts";

/** How close to its end a credential is worth a warning. */
const soonMs = 10 * 60_000;

/**
 * One keychain of several, the most important first. The candidates of all are tried in this order: exact hosts before wildcards, longer paths
 * before shorter ones, then in the order of the keychains. What two have alike is tried once, under the name of the first; where they
 * contradict each other, both are tried, and the call is told which wins and why.
 */
export function createKeychain(...keychains: readonly Keychain[]): Keychain {
  // One that is made of others would warn of its own part.
  const leaves = leavesOf(keychains);
  const find = async (resource: RegistryResource, call: KeychainCall): Promise<RankedCredential[]> => {
    const found = await Promise.all(leaves.map((keychain) => ranked(keychain, resource, call)));
    const ordered = found.flat().toSorted((first, second) => second.rank - first.rank);
    const kept = new Set(withoutDuplicates(byPreference(ordered, resource), (credential) => credential));
    // A keychain that is given twice has each credential twice, as the same object.
    const candidates = ordered.filter(({ credential }) => kept.delete(credential));
    if (call.warn !== undefined) for (const warning of warningsAbout(candidates, resource)) call.warn(warning);
    return candidates;
  };
  return keychainOf({ parts: keychains, find });
}

/** Of what is alike the first is kept; for a registry as a whole, what is for all of it, be it under a wildcard, rather than for a path. */
function byPreference(ordered: readonly RankedCredential[], { repository }: RegistryResource): Credential[] {
  const credentials = ordered.map(({ credential }) => credential);
  if (repository !== undefined) return credentials;
  return credentials.toSorted((first, second) => Number(isLimited(first)) - Number(isLimited(second)));
}

function isLimited(credential: Credential): boolean {
  return credentialPath(credential).length > 0;
}

/** What somebody else has made says no more than its path; a chain of ours by somebody else still has our credentials. */
async function ranked(
  keychain: Keychain,
  resource: RegistryResource,
  call: KeychainCall,
): Promise<readonly RankedCredential[]> {
  const source = sourceOf(keychain);
  if (source !== undefined)
    return (await source.find(resource, call)).map((candidate) => ({ origin: keychain, ...candidate }));
  const credentials = await keychain.resolve(resource, call);
  return credentials.map((credential) => ({
    rank: rankOfCredential(credential) ?? exactHostRank + pathLength(credential, resource),
    credential,
    origin: originOfCredential(credential),
  }));
}

function pathLength(credential: Credential, { repository }: RegistryResource): number {
  const { length } = credentialPath(credential);
  return repository === undefined ? -length : length;
}

function warningsAbout(candidates: readonly RankedCredential[], resource: RegistryResource): string[] {
  const host = canonicalHost(resource.registry);
  const conflicts = findConflicts(
    candidates.map(({ rank, credential, origin }) => {
      const depth = pathLength(credential, resource);
      const scope = formatRegistryScope({ host, path: credentialPath(credential) });
      // A path, which counts against it for the registry as a whole, counts in its favour among its own repositories.
      return { scope, credential, origin, rank: rank - depth + Math.abs(depth) };
    }),
  );
  return [
    ...conflicts.map(formatConflict),
    ...candidates.flatMap(({ credential }) => expiryWarning(credential, host) ?? []),
  ];
}

function expiryWarning({ expiresAtMs, source }: Credential, host: string): string | undefined {
  if (expiresAtMs === undefined) return undefined;
  const leftMs = expiresAtMs - Date.now();
  if (leftMs > soonMs) return undefined;
  return leftMs <= 0
    ? `The credentials for ${host} from ${source} have expired. Renew them.`
    : `The credentials for ${host} from ${source} expire in ${Math.ceil(leftMs / 60_000)} min. Renew them.`;
}
