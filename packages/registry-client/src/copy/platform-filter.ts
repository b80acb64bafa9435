import { normalizePlatform } from "@slipway/core/errors";

import type { ContentDescriptor } from "./image-content.ts";

const referenceType = "vnd.docker.reference.type";
const referenceDigest = "vnd.docker.reference.digest";

/** Whether a descriptor of an index is BuildKit's attestation of one of its siblings: provenance, SBOM. */
export function isAttestation({ annotations }: ContentDescriptor): boolean {
  return annotations[referenceType] === "attestation-manifest";
}

/** The entries of an index that a choice of platforms leaves: theirs, and the attestations of theirs. */
export function keepPlatforms(
  children: readonly ContentDescriptor[],
  platforms: readonly string[],
): readonly ContentDescriptor[] {
  const wanted = new Set(platforms.map(normalizePlatform));
  const images = children.filter((child) => isImageOf(child, wanted));
  const digests = new Set(images.map(({ digest }) => digest));
  return children.filter(
    (child) =>
      images.includes(child) || (isAttestation(child) && digests.has(child.annotations[referenceDigest] ?? "")),
  );
}

function isImageOf(child: ContentDescriptor, wanted: ReadonlySet<string>): boolean {
  return !isAttestation(child) && child.platform !== undefined && wanted.has(normalizePlatform(child.platform));
}

/**
 * An index with some of its entries only, everything else as it was. An entry whose digest `replaced` has gets what stands there instead: a
 * nested index that has been written anew itself.
 */
export function rewriteIndex(
  bytes: Uint8Array,
  kept: ReadonlySet<string>,
  replaced: ReadonlyMap<string, { readonly digest: string; readonly sizeBytes: number }>,
): Uint8Array {
  const index = JSON.parse(new TextDecoder().decode(bytes)) as { manifests: { digest: string }[] };
  const manifests = index.manifests
    .filter(({ digest }) => kept.has(digest))
    .map((entry) => {
      const replacement = replaced.get(entry.digest);
      return replacement === undefined ? entry : { ...entry, digest: replacement.digest, size: replacement.sizeBytes };
    });
  return new TextEncoder().encode(JSON.stringify({ ...index, manifests }));
}
