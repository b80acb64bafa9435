import { isSameCredential } from "@slipway/core";
import type { Credential } from "@slipway/core";

/** Two sources that say different things about the same repositories. */
export interface CredentialConflict {
  /** `registry.example.com`, or `registry.example.com/team` if the entries are limited to a path. */
  readonly scope: string;
  /** In the order in which they are tried, by name. */
  readonly sources: readonly string[];
  /** Which is tried first. */
  readonly wins: string;
  readonly reason: string;
}

/** What conflicts are found in: credentials in the order in which they are tried. */
export interface ScopedCredential {
  readonly scope: string;
  readonly credential: Credential;
  /** Which keychain of the list it is from. @defaultValue each source is a keychain of its own */
  readonly origin?: object | undefined;
  /** How well it fits the repositories of its scope: what fits better is tried first, and contradicts nothing. @defaultValue alike for all */
  readonly rank?: number | undefined;
}

/**
 * The conflicts among credentials. What differs in scope is none: the longer path is the better fit. Where there is one, what fits even better is named
 * with it, since that is tried first.
 */
export function findConflicts(candidates: readonly ScopedCredential[]): CredentialConflict[] {
  const scopes = [...new Set(candidates.map(({ scope }) => scope))];
  return scopes.flatMap((scope) => {
    const here = candidates
      .filter((candidate) => `${scope}/`.startsWith(`${candidate.scope}/`))
      .toSorted((first, second) => (second.rank ?? 0) - (first.rank ?? 0) || second.scope.length - first.scope.length);
    const claims = withoutDuplicates(here, ({ credential }) => credential).map((candidate) => ({
      ...{ source: candidate.credential.source, origin: candidate.origin, rank: candidate.rank },
      isWider: candidate.scope !== scope,
    }));
    return conflictOf(scope, claims) ?? [];
  });
}

/** Who has something to say about a scope. */
export interface Claim {
  readonly source: string;
  readonly origin?: object | undefined;
  /** How well it fits. */
  readonly rank?: number | undefined;
  /** For more than this scope: it contradicts nothing here, but may be tried before what does. */
  readonly isWider?: boolean;
  /** A program or a cloud, which is asked later and may have nothing. */
  readonly isAsked?: boolean;
}

/**
 * The conflict among claims that differ: those that fit alike, and what is tried before them. `undefined` if nothing fits alike.
 *
 * @param claims - In the order in which they are tried.
 */
export function conflictOf(scope: string, claims: readonly Claim[]): CredentialConflict | undefined {
  const own = claims.filter(({ isWider }) => isWider !== true);
  const alike = own.filter((claim) => own.some((other) => other !== claim && other.rank === claim.rank));
  // What fits least: all else that is alike is tried before it.
  const last = alike.filter(({ rank }) => rank === alike.at(-1)?.rank);
  const [lead] = last;
  if (lead === undefined) return undefined;
  const tried = [...claims.slice(0, claims.indexOf(lead)), ...last];
  const [first = lead, ...others] = tried;
  const occasion = first.isAsked === true ? "it has nothing, or the registry refuses it" : "the registry refuses it";
  const reason = `${reasonOf(first, others)}; the others are tried when ${occasion}`;
  return { scope, sources: tried.map(({ source }) => source), wins: first.source, reason };
}

function reasonOf(first: Claim, others: readonly Claim[]): string {
  const alike = others.filter(({ rank }) => rank === first.rank);
  if (alike.length === 0) return "what it says is for the exact host";
  if (alike.some((other) => originOf(other) !== originOf(first)))
    return "its source comes first in the list of keychains";
  return alike.every(({ source }) => source === first.source)
    ? "it comes first in its source"
    : "it comes first in its keychain";
}

function originOf({ origin, source }: Claim): unknown {
  return origin ?? source;
}

/** A conflict as one sentence, for a warning. */
export function formatConflict({ scope, sources, wins, reason }: CredentialConflict): string {
  return `For ${scope} there are different credentials in ${sources.join(" and ")}. The ${wins} wins: ${reason}.`;
}

/** What has each credential first. */
export function withoutDuplicates<Item>(items: readonly Item[], credentialOf: (item: Item) => Credential): Item[] {
  return items.filter((item, index) => {
    const credential = credentialOf(item);
    return items.findIndex((other) => isSameCredential(credential, credentialOf(other))) === index;
  });
}
