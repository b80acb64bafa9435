import { BuilderError } from "@slipway/core";
import type { Credential, KeychainCall, RegistryResource } from "@slipway/core";

import { chosenHelpers } from "./chosen-helpers.ts";
import type { HelperEntry } from "./chosen-helpers.ts";
import { invalidCredentials } from "./invalid-credentials.ts";
import type { KeychainContent, KeychainEntry, RankedCredential } from "./keychain-content.ts";
import { exactHostRank, scopeFit } from "./registry-scope.ts";

/** Gets what a helper has, or says where it can be had. */
export type AskHelper = (entry: HelperEntry, resource: RegistryResource) => Promise<Credential | undefined>;

/**
 * The credentials of a source for a repository, best first: exact hosts before wildcards, longer paths before shorter ones, a helper before
 * what a file holds itself, then in the order given.
 *
 * @throws `INVALID_OPTIONS` for what is broken, unless the call has somewhere to say so.
 */
export async function findCredentials(
  { entries, problems }: KeychainContent,
  resource: RegistryResource,
  call: Pick<KeychainCall, "warn">,
  askHelper: AskHelper,
): Promise<RankedCredential[]> {
  for (const { source, scope, message, harmless } of problems) {
    if (scope !== undefined && scopeFit(scope, resource.registry, resource.repository) === undefined) continue;
    if (harmless) call.warn?.(message);
    else report(call, invalidCredentials(source, message));
  }
  const helped = (await Promise.all(fittingHelpers(entries, resource).map((entry) => ask(entry)))).flat();
  async function ask(entry: HelperEntry): Promise<RankedCredential[]> {
    try {
      const credential = await askHelper(entry, resource);
      return credential === undefined ? [] : [limited(entry, credential, resource)];
    } catch (error) {
      if (!BuilderError.isInstance(error) || error.code !== "INVALID_OPTIONS") throw error;
      report(call, error);
      return [];
    }
  }
  const held = entries.flatMap((entry) => {
    const rank = rankOf(entry, resource);
    return entry.type === "credential" && rank !== undefined ? [{ rank, credential: entry.credential }] : [];
  });
  return [...helped, ...held].toSorted((first, second) => second.rank - first.rank);
}

/** Goes on with a warning where there is somebody to hear it. */
export function report({ warn }: Pick<KeychainCall, "warn">, error: Error): void {
  if (warn === undefined) throw error;
  const issues = BuilderError.isInstance(error) && error.code === "INVALID_OPTIONS" ? error.details.issues : undefined;
  warn(issues === undefined ? error.message : issues.map(({ message }) => message).join("; "));
}

function rankOf(entry: KeychainEntry, { registry, repository }: RegistryResource): number | undefined {
  return entry.scope === "any" ? exactHostRank : scopeFit(entry.scope, registry, repository);
}

function pathOf({ scope }: HelperEntry): readonly string[] {
  return scope === "any" ? [] : scope.path;
}

/** What a helper of a path answers is for that path alone. */
function limited(entry: HelperEntry, credential: Credential, { repository }: RegistryResource): RankedCredential {
  const path = pathOf(entry);
  if (path.length === 0) return { rank: exactHostRank, credential };
  const fit = repository === undefined ? -path.length : path.length;
  return { rank: exactHostRank + fit, credential: { ...credential, scope: path.join("/") } };
}

/** For a registry as a whole: those of all its paths, and those for the rest. */
function fittingHelpers(entries: readonly KeychainEntry[], { registry, repository }: RegistryResource): HelperEntry[] {
  const below = (path: readonly string[]): HelperEntry[] => chosenHelpers(entries, { host: registry, path });
  if (repository !== undefined) return below(repository.split("/"));
  const paths = entries.flatMap((entry) => (entry.type === "helper" ? [pathOf(entry)] : []));
  return [...new Set([[], ...paths].flatMap(below))];
}
