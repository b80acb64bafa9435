import { BuilderError, type DriverCall } from "@slipway/core";
import { parseImageReference, type ImageReference, type RegistryClient } from "@slipway/registry-client";

/** The client for a registry, however it is reached. */
export type ClientOf = (registry: string) => Pick<RegistryClient, "headManifest" | "putManifest" | "deleteManifest">;

/** The registries that a build has pushed to. */
export interface PushedRegistries {
  readonly clientOf: ClientOf;
  /** Why only the pod of the build may be let into a repository, if that may be. */
  readonly onlyInPod?: (repository: ImageReference, signal: AbortSignal) => Promise<string | undefined>;
}

/**
 * Asks the registries whether they serve what was pushed, under every tag. One that lets in nobody but the pod of the build
 * cannot tell; that is a warning.
 *
 * @throws BuilderError DIGEST_MISMATCH, REGISTRY_UNAUTHORIZED, REGISTRY_UNAVAILABLE, REGISTRY_REFUSED
 */
export async function verifyPushed(
  tags: readonly string[],
  digest: string,
  { clientOf, onlyInPod }: PushedRegistries,
  { signal, emit }: Pick<DriverCall, "signal"> & Partial<Pick<DriverCall, "emit">>,
): Promise<void> {
  await Promise.all(
    tags.map(async (tag) => {
      const image = parseImageReference(tag);
      try {
        const served = await clientOf(image.registry).headManifest(tag, { signal });
        if (served?.digest !== digest) throw mismatch(tag, digest, served?.digest);
      } catch (error) {
        const isRefused = BuilderError.isInstance(error) && error.code === "REGISTRY_UNAUTHORIZED";
        const reason = isRefused ? await onlyInPod?.(image, signal) : undefined;
        if (reason === undefined) throw error;
        const message = `kaniko says that it has pushed ${digest} as ${tag}, which ${image.registry} was not asked about: ${reason}.`;
        emit?.({ type: "warning", message });
      }
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
