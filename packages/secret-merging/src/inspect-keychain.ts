import { isSameCredential } from "@slipway/core";
import type { Keychain, KeychainCall } from "@slipway/core";

import type { ScopedCredential } from "./credential-conflict.ts";
import { entryConflicts } from "./entry-conflicts.ts";
import type { KeychainEntry } from "./keychain-content.ts";
import { leavesOf, sourceOf } from "./keychain-content.ts";
import type {
  CredentialConsumer,
  ExpiringEntry,
  KeychainReport,
  ReportedEntry,
  ReportedProblem,
  ShadowedEntry,
  UnusableEntry,
} from "./keychain-report.ts";
import { formatRegistryScope, hasWildcard } from "./registry-scope.ts";
import { unusableBy } from "./unusable-entries.ts";

const consumers: readonly CredentialConsumer[] = ["kubelet", "buildctl", "kaniko"];
const soonMs = 60 * 60_000;

/**
 * Reads all that keychains hold, and says what is wrong with it: contradictions, with which wins and why, entries that cannot be read or add
 * nothing, that end soon, or that the kubelet, buildctl or kaniko could not use. Helpers and clouds are not asked. No value is in the report.
 *
 * @throws what a keychain throws that cannot be read at all, such as `INVALID_OPTIONS` for a Secret that does not exist
 */
export async function inspectKeychain(
  keychains: Keychain | readonly Keychain[],
  call: KeychainCall,
): Promise<KeychainReport> {
  const list = leavesOf("resolve" in keychains ? [keychains] : keychains);
  const sources = list.map(sourceOf);
  const contents = await Promise.all(sources.map(async (source) => source?.read?.(call)));
  const entries = contents.flatMap((content) => content?.entries ?? []);
  const problems = contents.flatMap((content) => content?.problems ?? []);
  const held = entries.flatMap((entry) =>
    entry.type === "credential" ? [{ scope: scopeText(entry), credential: entry.credential }] : [],
  );
  return {
    entries: entries.map(reportedEntry),
    conflicts: entryConflicts(
      list.flatMap((origin, index) => (contents[index]?.entries ?? []).map((entry) => ({ entry, origin }))),
    ),
    problems: problems.map(({ source, key, message }): ReportedProblem => ({
      source,
      ...(key === undefined ? {} : { key }),
      message,
    })),
    shadowed: shadowedEntries(held),
    unusable: entries.flatMap(unusableEntries),
    expiring: expiringEntries(held, Date.now()),
    globs: entries.flatMap(({ source, key, scope }) =>
      scope !== "any" && hasWildcard(scope) ? [{ source, key }] : [],
    ),
    opaque: sources.filter((source) => source === undefined).length,
  };
}

function scopeText({ scope }: KeychainEntry): string {
  return scope === "any" ? "*" : formatRegistryScope(scope);
}

function reportedEntry(entry: KeychainEntry): ReportedEntry {
  const type = entry.type === "credential" ? entry.credential.type : entry.type;
  return { source: entry.source, scope: scopeText(entry), type };
}

function shadowedEntries(held: readonly ScopedCredential[]): ShadowedEntry[] {
  return held.flatMap(({ scope, credential }, index) => {
    const earlier = held.slice(0, index).find((other) => {
      return other.scope === scope && isSameCredential(other.credential, credential);
    });
    return earlier === undefined ? [] : [{ source: credential.source, scope, by: earlier.credential.source }];
  });
}

function unusableEntries(entry: KeychainEntry): UnusableEntry[] {
  return consumers.flatMap((consumer) => {
    const reason = unusableBy(consumer, entry);
    return reason === undefined ? [] : [{ consumer, source: entry.source, scope: scopeText(entry), reason }];
  });
}

function expiringEntries(held: readonly ScopedCredential[], nowMs: number): ExpiringEntry[] {
  return held.flatMap(({ scope, credential: { source, expiresAtMs } }) =>
    expiresAtMs !== undefined && expiresAtMs < nowMs + soonMs ? [{ source, scope, expiresAtMs }] : [],
  );
}
