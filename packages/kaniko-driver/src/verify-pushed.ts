import { BuilderError } from "@slipway/core";
import { parseImageReference, type RegistryClient } from "@slipway/registry-client";

/** The client for a registry, however it is reached. */
export type ClientOf = (registry: string) => Pick<RegistryClient, "headManifest" | "putManifest" | "deleteManifest">;

/**
 * Asks the registries whether they serve what was pushed, under every tag.
 *
 * @throws BuilderError DIGEST_MISMATCH, REGISTRY_UNAUTHORIZED, REGISTRY_UNAVAILABLE, REGISTRY_REFUSED
 */
export async function verifyPushed(
  tags: readonly string[],
  digest: string,
  clientOf: ClientOf,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  await Promise.all(
    tags.map(async (tag) => {
      const { registry } = parseImageReference(tag);
      const served = await clientOf(registry).headManifest(tag, { signal });
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
