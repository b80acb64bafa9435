import type { Keychain } from "@slipway/core";

/**
 * The credentials of a call in the order in which they are tried: those that fit a repository best come first, whichever keychain they are from, and
 * contradictions are told. Core's chain only puts one keychain behind the other.
 */
export function orderedKeychain(chain: Keychain): Keychain {
  return {
    resolve: async (resource, call) => {
      const candidates = await chain.resolve(resource, call);
      if (candidates.length < 2) return candidates;
      const { createKeychain } = await import("@slipway/secret-merging");
      return createKeychain({ resolve: () => Promise.resolve(candidates) }).resolve(resource, call);
    },
  };
}
