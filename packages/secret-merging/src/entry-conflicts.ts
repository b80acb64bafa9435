import { isSameCredential } from "@slipway/core";

import { chosenHelpers } from "./chosen-helpers.ts";
import type { Claim, CredentialConflict } from "./credential-conflict.ts";
import { conflictOf } from "./credential-conflict.ts";
import type { KeychainEntry } from "./keychain-content.ts";
import { exactHostRank, formatRegistryScope, hasWildcard } from "./registry-scope.ts";
import type { RegistryScope } from "./registry-scope.ts";

/** An entry, and the keychain of the list that it is in. */
export interface EntryOfKeychain {
  readonly entry: KeychainEntry;
  readonly origin: object;
}

/**
 * The conflicts among entries, by the order in which what they have is tried. Helpers and clouds count by their name, since nobody asks them. A helper
 * for every registry may well have nothing for one, so it makes no conflict; where it is asked before those that do, it is named with them.
 *
 * @param entries - In the order of the keychains, and in each as it tries them.
 */
export function entryConflicts(entries: readonly EntryOfKeychain[]): CredentialConflict[] {
  // A text takes longer to make than to compare.
  const named = entries.map((each) => {
    const { scope } = each.entry;
    return { ...each, text: scope === "any" ? "*" : formatRegistryScope(scope) };
  });
  const scopes = new Map(
    named.flatMap(({ entry: { scope }, text }) => (scope === "any" ? [] : [[text, scope] as const])),
  );
  const origins = [...new Set(entries.map(({ origin }) => origin))];
  const keychains = origins.map((origin) => entries.flatMap((each) => (each.origin === origin ? [each.entry] : [])));
  return [...scopes].flatMap(([text, scope]) => {
    const asked = new Set<KeychainEntry>(keychains.flatMap((keychain) => chosenHelpers(keychain, scope)));
    const host = hostWithin(scope);
    const answering = named.filter((each) => {
      if (each.entry.type === "helper") return asked.has(each.entry);
      return each.entry.type === "provider" ? each.entry.hosts.test(host) : each.text === text;
    });
    return conflictOf(text, claimsOn(scope, answering)) ?? [];
  });
}

/** One host of those that a wildcard stands for, for clouds to know: an account of Amazon has twelve digits. */
function hostWithin({ host }: RegistryScope): string {
  return host.replace(/\*/g, "123456789012").replace(/\?/g, "1");
}

/** Each answer once, in the order in which it is tried. */
function claimsOn(scope: RegistryScope, entries: readonly EntryOfKeychain[]): Claim[] {
  const ranked = entries.map((each) => ({ ...each, rank: rankOf(each.entry, scope) }));
  const ordered = ranked.toSorted((first, second) => second.rank - first.rank);
  const different = ordered.filter((each, index) => ordered.findIndex((other) => isSame(other, each)) === index);
  return different.map(({ entry, origin, rank }) => ({
    ...{ source: nameOf(entry), origin, rank },
    isWider: entry.scope === "any" || entry.scope.path.length < scope.path.length,
    isAsked: entry.type !== "credential",
  }));
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
