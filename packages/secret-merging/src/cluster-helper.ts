import { unlessAborted } from "@slipway/core";
import type { Credential, KeychainCall, RegistryResource } from "@slipway/core";

import { abortedError } from "./aborted-error.ts";
import type { CredentialCache } from "./credential-cache.ts";
import { readHelperAnswer, requireHelperName } from "./credential-helper.ts";
import type { AskHelper } from "./find-credentials.ts";
import { canonicalHost, dockerHubKey } from "./registry-scope.ts";

/** What a helper is asked about: Docker Hub has a name of its own, and an entry keeps its spelling. */
export function helperServerUrl(key: string, scope: unknown, { registry }: RegistryResource): string {
  if (canonicalHost(registry) === "docker.io") return dockerHubKey;
  return scope === "any" ? registry : key;
}

/**
 * Asks the helpers that a Secret of the cluster names: never a program of this machine, but one where the builder lives; without such a place
 * the answer is which program would know.
 */
export function clusterHelper(
  { runCredentialHelper, helperSite, signal }: Pick<KeychainCall, "runCredentialHelper" | "helperSite" | "signal">,
  cache: CredentialCache,
): AskHelper {
  return async ({ source, key, scope, helper }, resource): Promise<Credential | undefined> => {
    requireHelperName(helper, source);
    const serverUrl = helperServerUrl(key, scope, resource);
    if (runCredentialHelper === undefined) return { source, type: "helper", helper, serverUrl };
    const ask = async (): Promise<Credential | undefined> =>
      readHelperAnswer(await runCredentialHelper(helper, serverUrl), { helper, serverUrl, source });
    // One keychain may serve builders of several clusters, where the same Secret and helper stand for other identities.
    if (helperSite === undefined) return unlessAborted(ask(), signal, abortedError);
    return cache.get(JSON.stringify([helperSite, source, helper, serverUrl]), signal, ask);
  };
}
