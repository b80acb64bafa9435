import type { Keychain } from "./keychain.ts";

/** One keychain of several: the candidates of all, in their order. */
export function chainKeychains(keychains: readonly Keychain[]): Keychain {
  return {
    async resolve(resource, call) {
      const candidates = await Promise.all(keychains.map((keychain) => keychain.resolve(resource, call)));
      return candidates.flat();
    },
  };
}
