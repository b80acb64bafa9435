import { BuilderError, unlessAborted } from "@slipway/core";
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
  /** `signal`, for libraries that take one, fires when whoever asked leaves, and when the time for an answer is over. */
  ask(host: string, signal: AbortSignal): Promise<Credential>;
}

/** The libraries of clouds try several sources, some of which they wait for without an end: metadata servers, proxies, programs. */
const defaultAnswerTimeoutMs = 30_000;

/**
 * The keychain of a cloud. Its credentials are kept for 80 % of their life, but no longer than five minutes at a time; it is the last to be
 * asked among equals only if it is the last in the list.
 *
 * @param answerTimeoutMs - How long the cloud may take for an answer; for tests to shorten.
 */
export function cloudKeychain(provider: CloudProvider, answerTimeoutMs = defaultAnswerTimeoutMs): Keychain {
  const { source, hosts, examples } = provider;
  const cache = createCredentialCache();
  return keychainOf({
    read: () =>
      Promise.resolve({
        entries: examples.map((key) => ({ type: "provider", source, key, scope: parseRegistryScope(key), hosts })),
        problems: [],
      }),
    find: async ({ registry }: RegistryResource, call): Promise<readonly RankedCredential[]> => {
      const host = canonicalHost(registry);
      if (!hosts.test(host)) return [];
      try {
        const credential = await cache.get(host, call.signal, () =>
          askInTime(provider, host, call.signal, answerTimeoutMs),
        );
        return credential === undefined ? [] : [{ rank: exactHostRank, credential }];
      } catch (error) {
        call.signal.throwIfAborted();
        report(call, BuilderError.isInstance(error) ? error : cloudFailure(source, error));
        return [];
      }
    },
  });
}

async function askInTime(
  provider: CloudProvider,
  host: string,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<Credential> {
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    // Not every library takes a signal, and what one says after its asker has left still serves the others.
    return await unlessAborted(provider.ask(host, AbortSignal.any([signal, deadline])), deadline);
  } catch (error) {
    if (!deadline.aborted) throw error;
    throw cloudFailure(provider.source, new Error(`it did not answer for ${host} within ${timeoutMs / 1000} s`));
  }
}
