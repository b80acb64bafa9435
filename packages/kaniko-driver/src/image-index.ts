import { BuilderError } from "@slipway/core";
import {
  computeDigest,
  formatImageReference,
  manifestMediaTypes,
  parseImageReference,
  type Descriptor,
} from "@slipway/registry-client";

import { verifyPushed, type ClientOf } from "./verify-pushed.ts";

/** The manifest of one platform, in every repository of the tags. */
export interface PlatformManifest {
  readonly platform: string;
  readonly digest: string;
}

/** What becomes an index. */
export interface IndexContent {
  readonly tags: readonly string[];
  readonly manifests: readonly PlatformManifest[];
}

const [ociIndex, , dockerList, dockerManifest] = manifestMediaTypes;

/**
 * Puts an index of what the platforms have pushed under every tag, and makes sure that the registries serve it.
 *
 * @returns its digest
 * @throws BuilderError DIGEST_MISMATCH, REGISTRY_UNAUTHORIZED, REGISTRY_UNAVAILABLE, REGISTRY_REFUSED
 */
export async function pushIndex(
  { tags, manifests }: IndexContent,
  clientOf: ClientOf,
  call: { readonly signal: AbortSignal },
): Promise<string> {
  const [first = ""] = tags;
  const described = await Promise.all(
    manifests.map(async ({ platform, digest }) => ({
      platform,
      descriptor: await describe(first, digest, clientOf, call),
    })),
  );
  const index = imageIndex(described);
  for (const tag of tags) {
    const { registry } = parseImageReference(tag);
    await clientOf(registry).putManifest(tag, index, call);
  }
  const digest = computeDigest(index.bytes);
  await verifyPushed(tags, digest, { clientOf }, call);
  return digest;
}

async function describe(
  tag: string,
  digest: string,
  clientOf: ClientOf,
  call: { readonly signal: AbortSignal },
): Promise<Descriptor> {
  const { registry, repository } = parseImageReference(tag);
  const reference = { registry, repository, digest };
  const found = await clientOf(registry).headManifest(reference, call);
  if (found !== undefined) return found;
  throw new BuilderError({
    code: "DIGEST_MISMATCH",
    message: `The registry does not have ${formatImageReference(reference)}, which one of the platforms has pushed. Build again.`,
    details: { expected: digest },
  });
}

/** An index as engines read it: of Docker's kind if all of its images are, since some registries take no mixture. */
export function imageIndex(images: readonly { readonly platform: string; readonly descriptor: Descriptor }[]): {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
} {
  const isDocker = images.every(({ descriptor }) => descriptor.mediaType === dockerManifest);
  const mediaType = isDocker ? dockerList : ociIndex;
  const manifests = images.map(({ platform, descriptor: { mediaType: type, digest, sizeBytes } }) => ({
    ...{ mediaType: type, digest, size: sizeBytes },
    platform: platformObject(platform),
  }));
  return { mediaType, bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests })) };
}

function platformObject(platform: string): Readonly<Record<string, string>> {
  const [os = "linux", architecture = "amd64", variant] = platform.split("/");
  return { architecture, os, ...(variant === undefined ? {} : { variant }) };
}
