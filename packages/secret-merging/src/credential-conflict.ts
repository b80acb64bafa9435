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
}

/** The conflicts among credentials. What differs in scope is none: the longer path is the better fit. */
export function findConflicts(candidates: readonly ScopedCredential[]): CredentialConflict[] {
  const scopes = [...new Set(candidates.map(({ scope }) => scope))];
  return scopes.flatMap((scope) => {
    const here = candidates.filter((candidate) => candidate.scope === scope);
    const different = here
      .filter((each, index) => here.findIndex((other) => isSameCredential(each.credential, other.credential)) === index)
      .map(({ credential, origin }) => ({ source: credential.source, origin }));
    const conflict = conflictOf(scope, different);
    return conflict === undefined ? [] : [conflict];
  });
}

/** Who has something to say about a scope. */
export interface Claim {
  readonly source: string;
  readonly origin?: object | undefined;
  /** How well it fits, where that is not alike. */
  readonly rank?: number;
  /** A program or a cloud, which is asked later and may have nothing. */
  readonly isAsked?: boolean;
}

/** The conflict among claims that differ, in the order in which they are tried; `undefined` if there is nothing to choose from. */
export function conflictOf(scope: string, claims: readonly Claim[]): CredentialConflict | undefined {
  const [first, ...others] = claims;
  if (first === undefined || others.length === 0) return undefined;
  const occasion = first.isAsked === true ? "it has nothing, or the registry refuses it" : "the registry refuses it";
  const reason = `${reasonOf(first, others)}; the others are tried when ${occasion}`;
  return { scope, sources: claims.map(({ source }) => source), wins: first.source, reason };
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

/** Each credential once, under the name of the source that has it first. */
export function withoutDuplicates(candidates: readonly Credential[]): Credential[] {
  return candidates.filter(
    (candidate, index) => candidates.findIndex((other) => isSameCredential(candidate, other)) === index,
  );
}
