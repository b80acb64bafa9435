import { BuilderError } from "@slipway/core";
import { formatImageReference, parseImageReference } from "@slipway/registry-client";

import type { PodRegistries } from "./pod-registries.ts";

/** What a verification needs to know. */
export interface Verification {
  /** Asks the daemon which digest a registry serves under a tag. */
  readonly resolve: (reference: string) => Promise<string>;
  /** Asks the registries by connections of our own, from where the push was made. */
  readonly registries: Pick<PodRegistries, "client">;
  readonly isMirrored: (registry: string) => boolean;
  readonly signal: AbortSignal;
}

/**
 * Asks the registries whether they serve what was pushed: by way of the daemon, whose connections stand already; if that does not confirm
 * it, or cannot tell, by a connection of our own, which finds out why.
 *
 * @throws BuilderError DIGEST_MISMATCH, REGISTRY_UNAUTHORIZED, REGISTRY_UNAVAILABLE, REGISTRY_REFUSED
 */
export async function verifyPushed(
  references: readonly string[],
  digest: string,
  verification: Verification,
): Promise<void> {
  const { signal, registries } = verification;
  await Promise.all(
    references.map(async (reference) => {
      if (await isConfirmed(reference, digest, verification)) return;
      const client = registries.client(parseImageReference(reference).registry);
      const descriptor = await client.headManifest(reference, { signal });
      if (descriptor?.digest !== digest) throw mismatch(reference, digest, descriptor?.digest);
    }),
  );
}

/** By digest the daemon would look into its own store, and a mirror knows nothing of the push. */
async function isConfirmed(reference: string, digest: string, { resolve, isMirrored }: Verification): Promise<boolean> {
  const parsed = parseImageReference(reference);
  if (parsed.digest !== undefined || isMirrored(parsed.registry)) return false;
  return (await resolve(formatImageReference(parsed)).catch(() => undefined)) === digest;
}

function mismatch(reference: string, expected: string, actual: string | undefined): BuilderError {
  const found = actual === undefined ? "has no such image" : `serves ${actual}`;
  return new BuilderError({
    code: "DIGEST_MISMATCH",
    message: `The build pushed ${expected} as ${reference}, but the registry ${found}. Somebody else may have pushed the same tag meanwhile, or a mirror lags behind; build again.`,
    details: { expected, ...(actual === undefined ? {} : { actual }) },
  });
}
