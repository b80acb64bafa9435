import type { Keychain } from "@slipway/core";

import type { ResolvedKanikoDriverOptions } from "./kaniko-options.ts";

/** Who may talk to the registries of a build: whom the pull Secret names comes first. */
export async function buildKeychain(
  { pullSecret: name }: Pick<ResolvedKanikoDriverOptions, "pullSecret">,
  chain: Keychain,
): Promise<Keychain> {
  const { createKeychain, pullSecret } = await import("@slipway/secret-merging");
  return name === undefined ? createKeychain(chain) : createKeychain(pullSecret({ name }), chain);
}
