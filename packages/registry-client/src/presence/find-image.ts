import type { FoundImage, ImageQuery } from "@slipway/core";
import { normalizePlatform } from "@slipway/core/errors";

import { parseImageContent } from "../copy/image-content.ts";
import { imagePlatforms, platformOfConfig } from "../copy/image-platforms.ts";
import type { ImageReference } from "../image-reference.ts";
import { formatImageReference, parseImageReference } from "../image-reference.ts";
import type { Manifest } from "../manifest.ts";
import { isIndexMediaType } from "../media-types.ts";
import type { RegistryCall } from "../registry-call.ts";
import type { RegistryClient } from "../registry-client.ts";
import { readIdentities } from "./image-identity.ts";

/**
 * Looks for an image in its registry, with all manifests that it names: some garbage collectors delete the images of an index, and leave the index. Reads
 * manifests only; of an image for one platform its configuration, too, because nothing else says which platform that is.
 *
 * @param query - An image of the client's registry, by tag or by digest.
 * @returns `undefined` if it is not there, or not for all platforms
 * @throws `REGISTRY_UNAUTHORIZED`, `REGISTRY_UNAVAILABLE`, `REGISTRY_REFUSED`
 */
export async function findImage(
  client: RegistryClient,
  { reference, platforms }: ImageQuery,
  { signal }: RegistryCall = {},
): Promise<FoundImage | undefined> {
  const { registry, repository, ...name } = parseImageReference(reference);
  const call = { signal };
  const manifest = await client.getManifest({ registry, repository, ...name }, { signal, direct: true });
  if (manifest === undefined) return undefined;
  const image = { registry, repository, digest: manifest.digest };
  const [there, identities] = await Promise.all([
    platformsOf(client, image, manifest, call),
    readIdentities(client, image, call),
  ]);
  if (there === undefined || !hasAll(there, platforms)) return undefined;
  return { digest: manifest.digest, reference: formatImageReference(image), platforms: there, identities };
}

type Platforms = FoundImage["platforms"];

function hasAll(there: Platforms, wanted: readonly string[]): boolean {
  const known = new Set(there.map(({ platform }) => normalizePlatform(platform)));
  return wanted.every((platform) => known.has(normalizePlatform(platform)));
}

/** `undefined` if something that the manifest names is not there. */
async function platformsOf(
  client: RegistryClient,
  { registry, repository, digest }: ImageReference & { readonly digest: string },
  { mediaType, bytes }: Manifest,
  call: RegistryCall,
): Promise<Platforms | undefined> {
  const content = parseImageContent(mediaType, bytes, `${registry}/${repository}@${digest}`);
  if (!isIndexMediaType(mediaType)) {
    const [config] = content.configs;
    const platform = config && (await platformOfConfig(client, repository, config, call));
    return platform === undefined ? undefined : [{ platform, digest }];
  }
  const found = await Promise.all(
    content.children.map((child) =>
      client.headManifest({ registry, repository, digest: child.digest }, { ...call, direct: true }),
    ),
  );
  return found.includes(undefined) ? undefined : imagePlatforms(content.children);
}
