import { randomUUID } from "node:crypto";

import type { ImageReference } from "./image-reference.ts";
import { formatImageReference } from "./image-reference.ts";
import { computeDigest } from "./manifest.ts";
import type { ManifestRequests } from "./manifest-requests.ts";
import { manifestMediaTypes } from "./media-types.ts";
import type { RegistryCall } from "./registry-call.ts";
import { neverAborted } from "./registry-call.ts";
import type { RegistryRequests } from "./request-context.ts";
import { discardBody } from "./response-body.ts";

type TagReference = ImageReference & { readonly tag: string };

/**
 * Takes a tag away and leaves its image. Not every registry can: distribution answers 400 to it up to version 2.8. There the tag is moved to an
 * image of its own, and that one is deleted.
 */
export async function deleteTag(
  requests: RegistryRequests,
  manifests: ManifestRequests,
  reference: TagReference,
  call: RegistryCall = {},
): Promise<boolean> {
  const { repository, tag } = reference;
  const { signal = neverAborted() } = call;
  const purpose = `delete ${formatImageReference(reference)}`;
  const url = `${repository}/manifests/${tag}`;
  const response = await requests.send({ method: "DELETE", url, repository, actions: ["delete"], purpose, signal });
  if (response.ok || response.status === 404) {
    await discardBody(response);
    return response.ok;
  }
  if (response.status !== 400) throw await requests.fail(purpose, response);
  await discardBody(response);
  if ((await manifests.headManifest(reference, { ...call, direct: true })) === undefined) return false;
  const placeholder = placeholderIndex();
  const byDigest = { registry: reference.registry, repository, digest: computeDigest(placeholder.bytes) };
  // Where deletion is switched off this throws, before the tag has moved.
  await manifests.deleteManifest(byDigest, call);
  await manifests.putManifest(reference, placeholder, call);
  return await manifests.deleteManifest(byDigest, call);
}

/** An index of nothing, unlike any other one. */
function placeholderIndex(): { readonly mediaType: string; readonly bytes: Uint8Array } {
  const [mediaType] = manifestMediaTypes;
  const annotations = { "dev.slipway.deleted-tag": randomUUID() };
  return { mediaType, bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: [], annotations })) };
}
