import type { ImageIdentity } from "@slipway/core";
import { BuilderError } from "@slipway/core/errors";

import type { ImageReference } from "../image-reference.ts";
import { formatImageReference, parseImageReference } from "../image-reference.ts";
import { computeDigest } from "../manifest.ts";
import type { Descriptor } from "../manifest.ts";
import { manifestMediaTypes } from "../media-types.ts";
import type { RegistryCall } from "../registry-call.ts";
import type { RegistryClient } from "../registry-client.ts";

/** Type of the artifact that says what an image was built from. */
export const identityArtifactType = "application/vnd.slipway.identity.v1";
/** The annotation that says it. */
const identityAnnotation = "dev.slipway.identity";

const [, manifestType] = manifestMediaTypes;
/** What stands where an artifact has nothing: https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md#guidance-for-an-empty-descriptor */
const emptyBytes = Buffer.from("{}");
const empty = {
  mediaType: "application/vnd.oci.empty.v1+json",
  digest: computeDigest(emptyBytes),
  size: emptyBytes.byteLength,
} as const;

/** The identities that were recorded with an image. */
export async function readIdentities(
  client: RegistryClient,
  image: ImageReference & { readonly digest: string },
  call: RegistryCall,
): Promise<readonly string[]> {
  const referrers = await client.listReferrers(image, { ...call, artifactType: identityArtifactType });
  return referrers.flatMap(({ annotations }) => annotations?.[identityAnnotation] ?? []);
}

/**
 * Records what an image was built from: as an artifact that refers to the image's digest, so that no other image can inherit it, as it would a label, and
 * it says nothing of what a tag is moved to later.
 *
 * @throws `REGISTRY_UNAUTHORIZED`, `REGISTRY_UNAVAILABLE`, `REGISTRY_REFUSED`
 */
export async function recordIdentity(
  client: RegistryClient,
  { reference, identity }: ImageIdentity,
  { signal }: RegistryCall = {},
): Promise<void> {
  const call = { signal };
  const { registry, repository } = parseImageReference(reference);
  const image = await client.headManifest(reference, { ...call, direct: true });
  if (image === undefined) throw missing(reference, registry);
  await putEmptyBlob(client, repository, call);
  const bytes = identityManifest(image, identity);
  await client.putManifest(
    { registry, repository, digest: computeDigest(bytes) },
    { mediaType: manifestType, bytes },
    call,
  );
}

/** The same bytes for the same image and identity, so that recording twice adds nothing. */
function identityManifest({ mediaType, digest, sizeBytes }: Descriptor, identity: string): Uint8Array {
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    artifactType: identityArtifactType,
    config: empty,
    layers: [empty],
    subject: { mediaType, digest, size: sizeBytes },
    annotations: { [identityAnnotation]: identity },
  };
  return Buffer.from(JSON.stringify(manifest));
}

async function putEmptyBlob(client: RegistryClient, repository: string, call: RegistryCall): Promise<void> {
  if ((await client.headBlob(repository, empty.digest, { ...call, direct: true })) !== undefined) return;
  const upload = await client.startUpload(repository, call);
  if (upload === "mounted") return;
  await using open = upload;
  await open.finish(empty.digest, { ...call, chunk: emptyBytes });
}

function missing(reference: string, registry: string): BuilderError<"REGISTRY_REFUSED"> {
  return new BuilderError({
    code: "REGISTRY_REFUSED",
    message: `${formatImageReference(parseImageReference(reference))} is not in its registry, so what it was built from cannot be recorded there. Build it again.`,
    details: { registry, status: 404, diagnostics: [], triedCredentials: [] },
  });
}
