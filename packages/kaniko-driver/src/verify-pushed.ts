import { BuilderError } from "@slipway/core";
import { parseImageReference } from "@slipway/registry-client";

import type { BuildRegistries } from "./build-registries.ts";

/** How a registry is reached. */
export type RegistriesOf = (registry: string) => Pick<BuildRegistries, "client">;

/**
 * Asks the registries whether they serve what was pushed, under every tag.
 *
 * @throws BuilderError DIGEST_MISMATCH, REGISTRY_UNAUTHORIZED, REGISTRY_UNAVAILABLE, REGISTRY_REFUSED
 */
export async function verifyPushed(
  tags: readonly string[],
  digest: string,
  registriesOf: RegistriesOf,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  await Promise.all(
    tags.map(async (tag) => {
      const { registry } = parseImageReference(tag);
      const served = await registriesOf(registry).client(registry).headManifest(tag, { signal });
      if (served?.digest !== digest) throw mismatch(tag, digest, served?.digest);
    }),
  );
}

function mismatch(reference: string, expected: string, actual: string | undefined): BuilderError {
  const found = actual === undefined ? "has no such image" : `serves ${actual}`;
  return new BuilderError({
    code: "DIGEST_MISMATCH",
    message: `The build pushed ${expected} as ${reference}, but the registry ${found}. Somebody else may have pushed the same tag meanwhile; build again.`,
    details: { expected, ...(actual === undefined ? {} : { actual }) },
  });
}
