import type { ImageReference } from "./image-reference.ts";
import { isTag } from "./image-reference.ts";
import type { ManifestContent } from "./manifest.ts";
import type { ManifestRequests } from "./manifest-requests.ts";
import { manifestMediaTypes } from "./media-types.ts";
import { formatReferrersIndex, parseReferrers, referrerDescriptor, referrersTag } from "./referrer.ts";
import type { RegistryCall } from "./registry-call.ts";

/** Registries have no way to change an index only if nobody else has: one looks whether one's entry has survived. */
const maxAttempts = 5;

/**
 * Lists a manifest among the referrers of its subject where the registry does not do it: in the index under the referrers tag. The tag; `undefined` for
 * a subject that can be none, which no registry has.
 */
export async function addToReferrersTag(
  manifests: ManifestRequests,
  { registry, repository }: ImageReference,
  subject: string,
  content: ManifestContent,
  call?: RegistryCall,
): Promise<string | undefined> {
  const tag = referrersTag(subject);
  if (!isTag(tag)) return undefined;
  const reference = { registry, repository, tag };
  const added = referrerDescriptor(content);
  const [mediaType] = manifestMediaTypes;
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const found = await manifests.getManifest(reference, { ...call, direct: true });
    const referrers = found === undefined ? [] : parseReferrers(found.bytes);
    if (referrers.some(({ digest }) => digest === added.digest)) break;
    const bytes = formatReferrersIndex(mediaType, [...referrers, added]);
    await manifests.putManifest(reference, { mediaType, bytes }, call);
  }
  return tag;
}
