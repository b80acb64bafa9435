import type { KeychainEntry } from "./keychain-content.ts";
import { scopeFit } from "./registry-scope.ts";
import type { RegistryScope } from "./registry-scope.ts";

/** An entry that names a program to ask. */
export type HelperEntry = Extract<KeychainEntry, { type: "helper" }>;

/**
 * The helpers that are asked about a registry, or about the repositories below a path of it: one of each source at most. The one that fits best
 * hides the others, and the common one; an empty name switches them off.
 */
export function chosenHelpers(entries: readonly KeychainEntry[], { host, path }: RegistryScope): HelperEntry[] {
  // Without a path it is empty, and below no path of an entry.
  const repository = path.join("/");
  const best = new Map<string, { readonly entry: HelperEntry; readonly fit: number }>();
  for (const entry of entries) {
    if (entry.type !== "helper") continue;
    const fit = entry.scope === "any" ? commonFit : scopeFit(entry.scope, host, repository);
    if (fit !== undefined && fit > (best.get(entry.source)?.fit ?? -Infinity)) best.set(entry.source, { entry, fit });
  }
  return [...best.values()].flatMap(({ entry }) => (entry.helper === "" ? [] : [entry]));
}

/** Less than that of any wildcard. */
const commonFit = -1;
