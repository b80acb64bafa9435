import { BuilderError } from "@slipway/core";
import type { Credential, Keychain, RegistryResource } from "@slipway/core";

import { createCredentialCache } from "../credential-cache.ts";
import { report } from "../find-credentials.ts";
import { keychainOf } from "../keychain-content.ts";
import type { RankedCredential } from "../keychain-content.ts";
import { canonicalHost, exactHostRank, parseRegistryScope } from "../registry-scope.ts";
import { cloudFailure } from "./optional-module.ts";

/** A cloud that hands out short-lived credentials for its registries. */
export interface CloudProvider {
  /** As diagnostics name it. */
  readonly source: string;
  /** Its registries. */
  readonly hosts: RegExp;
  /** Hosts as people would write them, for reports. */
  readonly examples: readonly string[];
  ask(host: string, signal: AbortSignal): Promise<Credential>;
}

/**
 * The keychain of a cloud. Its credentials are kept for 80 % of their life, but no longer than five minutes at a time; it is the last to be
 * asked among equals only if it is the last in the list.
 */
export function cloudKeychain(provider: CloudProvider): Keychain {
  const { source, hosts, examples } = provider;
  const cache = createCredentialCache();
  return keychainOf({
    read: () =>
      Promise.resolve({
        entries: examples.map((key) => ({ type: "provider", source, key, scope: parseRegistryScope(key) })),
        problems: [],
      }),
    find: async ({ registry }: RegistryResource, call): Promise<readonly RankedCredential[]> => {
      const host = canonicalHost(registry);
      if (!hosts.test(host)) return [];
      try {
        const credential = await cache.get(host, call.signal, () => provider.ask(host, call.signal));
        return credential === undefined ? [] : [{ rank: exactHostRank, credential }];
      } catch (error) {
        call.signal.throwIfAborted();
        report(call, BuilderError.isInstance(error) ? error : cloudFailure(source, error));
        return [];
      }
    },
  });
}
