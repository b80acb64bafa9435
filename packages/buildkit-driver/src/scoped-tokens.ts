import { createHash } from "node:crypto";

import type { BuildToken, TokenAuthority, TokenRequest } from "@slipway/buildkit-client";
import {
  BuilderError,
  credentialPath,
  credentialValues,
  isSameCredential,
  type Keychain,
  type KeychainCall,
} from "@slipway/core";
import type { RegistryClient, RegistryToken } from "@slipway/registry-client";

import {
  areDifferent,
  parseRepositoryScopes,
  usableCandidates,
  type RepositoryScope,
  type UsableCredential,
  type UsedRepositories,
} from "./credential-scopes.ts";

/** Where tokens come from. */
interface TokenRegistries {
  client(registry: string): Pick<RegistryClient, "fetchToken">;
}

/**
 * Gets tokens in the daemon's place for the registries that have several credentials, or one that is not for all repositories of the build, since
 * the daemon takes one for all of them and tries no other. Those that have one are left to it: it asks for credentials and gets its tokens itself,
 * with fewer moving parts.
 */
export function scopedTokens(
  keychain: Keychain,
  registries: TokenRegistries,
  call: KeychainCall,
  repositories: UsedRepositories,
): TokenAuthority {
  return {
    identify: async (host) => {
      const candidates = await usableCandidates(keychain, { registry: host, actions: ["pull", "push"] }, call);
      // The daemon knows no credential that is a token already.
      const needsTokens =
        areDifferent(candidates) ||
        candidates.some(({ type }) => type === "registry-token") ||
        (await isUsedBeyond(candidates, () => repositories(host)));
      return needsTokens ? fingerprint(candidates) : undefined;
    },
    fetch: (request) => fetchToken(request, keychain, registries, call),
  };
}

/** Whether a build uses repositories that its only credential is not for. */
async function isUsedBeyond(
  candidates: readonly UsableCredential[],
  repositories: () => Promise<readonly string[]>,
): Promise<boolean> {
  const scopes = candidates.map((candidate) => credentialPath(candidate).join("/"));
  if (scopes.length === 0 || scopes.includes("")) return false;
  const used = await repositories();
  return used.some((name) => !scopes.some((scope) => `${name}/`.startsWith(`${scope}/`)));
}

/**
 * Of all that the credentials say, and what they are for: the daemon shares tokens among sessions that have the same, so that nobody who lacks a
 * password may have the fingerprint of who has it, and no token outlives its secret.
 */
function fingerprint(candidates: readonly UsableCredential[]): Uint8Array {
  const known = candidates.map((candidate) => [credentialPath(candidate), ...credentialValues(candidate)]);
  return createHash("sha256").update(JSON.stringify(known)).digest();
}

async function fetchToken(
  { host, realm, service, scopes }: TokenRequest,
  keychain: Keychain,
  registries: TokenRegistries,
  call: KeychainCall,
): Promise<BuildToken> {
  const wanted = parseRepositoryScopes(scopes);
  const candidates = await candidatesFor(host, wanted, keychain, call);
  let best: RegistryToken | undefined;
  for (const credential of [...candidates, undefined]) {
    const token = await registries.client(host).fetchToken({ realm, service, scopes, credential }, call);
    if (token === undefined) continue;
    if (grantsAll(token, wanted)) return buildToken(token);
    best ??= token;
  }
  if (best !== undefined) return buildToken(best);
  throw refused(host, realm, scopes, candidates);
}

/** The candidates for what must be pushed come first: what can push to a repository can pull from it, too. */
async function candidatesFor(
  host: string,
  wanted: readonly RepositoryScope[],
  keychain: Keychain,
  call: KeychainCall,
): Promise<readonly UsableCredential[]> {
  const byWeight = wanted.toSorted((first, second) => second.actions.length - first.actions.length);
  const resources =
    byWeight.length === 0
      ? [{ registry: host, actions: ["pull" as const] }]
      : byWeight.map(({ repository, actions }) => ({ registry: host, repository, actions }));
  const found = await Promise.all(resources.map((resource) => usableCandidates(keychain, resource, call)));
  return found
    .flat()
    .filter((candidate, index, all) => all.findIndex((other) => isSameCredential(other, candidate)) === index);
}

/** A token service answers with what it is willing to grant, which may be nothing; a token that cannot be read counts as good. */
function grantsAll({ granted }: RegistryToken, wanted: readonly RepositoryScope[]): boolean {
  if (granted === undefined) return true;
  return wanted.every(({ repository, actions }) => {
    const allowed = granted.filter((scope) => scope.repository === repository).flatMap((scope) => scope.actions);
    return allowed.includes("*") || actions.every((action) => allowed.includes(action));
  });
}

function buildToken({ token, renewAtMs }: RegistryToken): BuildToken {
  const nowMs = Date.now();
  return { token, expiresInSeconds: Math.max(1, (renewAtMs - nowMs) / 1000), issuedAtSeconds: nowMs / 1000 };
}

function refused(
  registry: string,
  realm: string,
  scopes: readonly string[],
  candidates: readonly UsableCredential[],
): BuilderError<"REGISTRY_UNAUTHORIZED"> {
  const triedCredentials = [...candidates.map(({ source }) => source), "anonymous access"];
  return new BuilderError({
    code: "REGISTRY_UNAUTHORIZED",
    message: `The token service ${realm} of ${registry} gives nobody ${scopes.join(" ")}. Tried ${triedCredentials.join(", ")}. Give the builder credentials that may do this.`,
    details: { registry, diagnostics: [], triedCredentials },
  });
}
