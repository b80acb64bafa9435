import { needsVersionTag } from "@slipway/core";
import type { BuiltImages, DriverCall, PublishOptions, PublishResult } from "@slipway/core";
import {
  copyImage,
  findImage,
  formatImageReference,
  parseImageReference,
  sourceNotFound,
} from "@slipway/registry-client";

import { keychainCall } from "./keychain-call.ts";
import { podRegistries, type PodRegistries, type RegistrySite } from "./pod-registries.ts";

/** Copies an image between registries as the builder's pod reaches them; nothing is stored on the way. */
export async function publishImage(
  options: PublishOptions,
  site: RegistrySite,
  built: BuiltImages,
  call: DriverCall,
): Promise<PublishResult> {
  const { signal, emit } = call;
  const { cluster, target } = site;
  const keys = keychainCall(cluster, target.name, call);
  await using registries = podRegistries(site, call.credentials, keys);
  const tagged = await withVersionTag(options, registries, built, call);
  return await copyImage(
    { ...tagged, connect: (registry) => registries.client(registry), onProgress: emit, warn: keys.warn },
    { signal },
  );
}

/**
 * The options with the tag that destinations without one get, which is that of the image that the source stands for now.
 *
 * @throws `REGISTRY_REFUSED` if the source is not there, `INVALID_OPTIONS` if nobody knows what it was built from
 */
export async function withVersionTag(
  options: PublishOptions,
  registries: Pick<PodRegistries, "client">,
  built: Pick<BuiltImages, "versionTag">,
  { signal }: Pick<DriverCall, "signal">,
): Promise<PublishOptions> {
  if (!needsVersionTag(options)) return options;
  const source = parseImageReference(options.source);
  const { registry, repository } = source;
  const client = registries.client(registry);
  const digest = source.digest ?? (await client.headManifest(source, { signal }))?.digest;
  if (digest === undefined) throw sourceNotFound(source);
  const recorded = async (): Promise<readonly string[]> => {
    const reference = formatImageReference({ registry, repository, digest });
    return (await findImage(client, { reference, platforms: [] }, { signal }))?.identities ?? [];
  };
  const versionTag = await built.versionTag(digest, recorded);
  // The tag may stand for another image by now: what is published is the one that the version is of.
  return { ...options, source: formatImageReference({ ...source, digest }), versionTag };
}
