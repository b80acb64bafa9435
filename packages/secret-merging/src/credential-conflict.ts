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
}

/** The conflicts among credentials. What differs in scope is none: the longer path is the better fit. */
export function findConflicts(candidates: readonly ScopedCredential[]): CredentialConflict[] {
  const scopes = [...new Set(candidates.map(({ scope }) => scope))];
  return scopes.flatMap((scope) => {
    const different = withoutDuplicates(
      candidates.filter((candidate) => candidate.scope === scope).map(({ credential }) => credential),
    );
    const [first] = different;
    if (first === undefined || different.length < 2) return [];
    const sources = different.map(({ source }) => source);
    return [{ scope, sources, wins: first.source, reason: reasonOf(first, sources) }];
  });
}

function reasonOf(first: Credential, sources: readonly string[]): string {
  const alike = sources.every((source) => source === first.source);
  return alike
    ? "it comes first in its source; the others are tried when the registry refuses it"
    : "its source comes first in the list of keychains; the others are tried when the registry refuses it";
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

/** Whether two credentials are the same, whatever source they come from. */
export function isSameCredential(first: Credential, second: Credential): boolean {
  if (first.type === "basic")
    return second.type === "basic" && first.username === second.username && first.password === second.password;
  if (first.type === "helper")
    return second.type === "helper" && first.helper === second.helper && first.serverUrl === second.serverUrl;
  return second.type === first.type && first.token === second.token;
}
