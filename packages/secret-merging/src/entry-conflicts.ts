import { isSameCredential } from "@slipway/core";

import type { CredentialConflict } from "./credential-conflict.ts";
import { conflictOf } from "./credential-conflict.ts";
import type { KeychainEntry } from "./keychain-content.ts";
import { exactHostRank, formatRegistryScope, hasWildcard, scopeFit } from "./registry-scope.ts";
import type { RegistryScope } from "./registry-scope.ts";

/** An entry, and the keychain of the list that it is in. */
export interface EntryOfKeychain {
  readonly entry: KeychainEntry;
  readonly origin: object;
}

/** An entry with its scope as a text, which takes longer to make than to compare. */
interface NamedEntry extends EntryOfKeychain {
  readonly text: string;
}

interface RankedEntry extends NamedEntry {
  readonly rank: number;
}

interface NamedScope {
  readonly scope: RegistryScope;
  readonly text: string;
}

/**
 * The conflicts among entries, by the order in which what they have is tried. Helpers and clouds count by their name, since nobody asks them. A helper
 * for every registry may well have nothing for one, so it makes no conflict; where it is asked before those that do, it is named with them.
 *
 * @param entries - In the order of the keychains, and in each as it tries them.
 */
export function entryConflicts(entries: readonly EntryOfKeychain[]): CredentialConflict[] {
  const named = entries.map((each) => {
    const { scope } = each.entry;
    return { ...each, text: scope === "any" ? "*" : formatRegistryScope(scope) };
  });
  const scopes = new Map(
    named.flatMap(({ entry: { scope }, text }) => (scope === "any" ? [] : [[text, scope] as const])),
  );
  return [...scopes].flatMap(([text, scope]) => {
    const candidates = candidatesFor({ scope, text }, named);
    const ranks = new Set(candidates.map(({ rank }) => rank));
    return [...ranks].flatMap((rank) => conflictAt(rank, text, candidates) ?? []);
  });
}

/** What fits equally well contradicts itself. */
function conflictAt(rank: number, scope: string, candidates: readonly RankedEntry[]): CredentialConflict | undefined {
  const specific = candidates.filter((candidate) => candidate.rank === rank && candidate.entry.scope !== "any");
  const [first] = specific;
  if (first === undefined || specific.length < 2) return undefined;
  const before = candidates.slice(0, candidates.indexOf(first)).filter(({ entry }) => entry.scope === "any");
  return conflictOf(
    scope,
    [...before, ...specific].map(({ entry, origin, rank: its }) => ({
      ...{ source: nameOf(entry), origin, rank: its },
      isAsked: entry.type !== "credential",
    })),
  );
}

/** What answers for a scope, each once, in the order in which it is tried. */
function candidatesFor(wanted: NamedScope, entries: readonly NamedEntry[]): readonly RankedEntry[] {
  const here = entries.filter((each) => isFor(each, wanted) && isAsked(each, entries, wanted));
  const different = here.filter((each, index) => here.findIndex((other) => isSame(other, each)) === index);
  const ranked = different.map((each) => ({ ...each, rank: rankOf(each.entry, wanted.scope) }));
  return ranked.toSorted((first, second) => second.rank - first.rank);
}

function isFor({ entry, text }: NamedEntry, wanted: NamedScope): boolean {
  if (entry.scope === "any" || text === wanted.text) return true;
  // The wildcards of a helper or a cloud only say which hosts it is asked about.
  return entry.type !== "credential" && wanted.scope.path.length === 0 && covers(entry.scope, wanted.scope);
}

/** Each source asks one helper: its first one for the registry, else the one for all. An empty name says that none shall be asked. */
function isAsked({ entry, origin }: NamedEntry, entries: readonly NamedEntry[], wanted: NamedScope): boolean {
  if (entry.type !== "helper") return true;
  const own = entries.find(
    (other) =>
      other.origin === origin &&
      other.entry.type === "helper" &&
      other.entry.source === entry.source &&
      other.entry.scope !== "any" &&
      (entry.scope === "any" ? covers(other.entry.scope, wanted.scope) : isFor(other, wanted)),
  );
  return entry.helper !== "" && (own === undefined || own.entry === entry);
}

function covers(own: RegistryScope, { host, path }: RegistryScope): boolean {
  if (own.path.length > path.length) return false;
  return scopeFit(own, host, path.length === 0 ? undefined : path.join("/")) !== undefined;
}

function isSame(first: EntryOfKeychain, second: EntryOfKeychain): boolean {
  const [one, other] = [first.entry, second.entry];
  if (one.type === "credential")
    return other.type === "credential" && isSameCredential(one.credential, other.credential);
  if (one.type === "provider") return other.type === "provider" && first.origin === second.origin;
  // One program has one answer in one place: on this machine, or in the builder's pod.
  return other.type === "helper" && one.helper === other.helper && isOfCluster(one) === isOfCluster(other);
}

function isOfCluster({ unknownToKubelet }: KeychainEntry): boolean {
  return unknownToKubelet !== undefined;
}

/** What a helper or a cloud says counts as said about the host itself, whatever wildcard has led there. */
function rankOf(entry: KeychainEntry, wanted: RegistryScope): number {
  const isByWildcard = entry.type === "credential" && hasWildcard(wanted);
  return (isByWildcard ? 0 : exactHostRank) + (entry.scope === "any" ? 0 : entry.scope.path.length);
}

/** As the candidates that come of it are called. */
function nameOf(entry: KeychainEntry): string {
  return entry.type === "helper" ? `${entry.source}, docker-credential-${entry.helper}` : entry.source;
}
