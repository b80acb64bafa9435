import type { Credential, Keychain } from "@slipway/core";

/**
 * One keychain of several: all their candidates in the order of the sources. What two sources have alike is tried once, under the
 * name of the first.
 */
export function createKeychain(...sources: readonly Keychain[]): Keychain {
  return {
    resolve: async (resource, call) => {
      const candidates = await Promise.all(sources.map((source) => source.resolve(resource, call)));
      return candidates
        .flat()
        .filter((candidate, index, all) => all.findIndex((other) => isSame(candidate, other)) === index);
    },
  };
}

function isSame(first: Credential, second: Credential): boolean {
  if (first.type === "basic") {
    return second.type === "basic" && first.username === second.username && first.password === second.password;
  }
  return second.type === first.type && first.token === second.token;
}
