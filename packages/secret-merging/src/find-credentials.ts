import type { Credential, RegistryResource } from "@slipway/core";

import type { CredentialsEntry } from "./docker-config-file.ts";
import { scopeFit } from "./registry-scope.ts";

/** The credentials for a repository, best first: exact hosts before wildcards, longer paths before shorter ones, then in the order given. */
export function findCredentials(entries: readonly CredentialsEntry[], resource: RegistryResource): Credential[] {
  return entries
    .flatMap((entry) => {
      const fit = scopeFit(entry.scope, resource.registry, resource.repository);
      return fit === undefined ? [] : [{ fit, entry }];
    })
    .toSorted((first, second) => second.fit - first.fit)
    .flatMap(({ entry }) => entry.credential() ?? []);
}
