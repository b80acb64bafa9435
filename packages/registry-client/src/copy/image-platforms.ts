import { invalidOptions, normalizePlatform } from "@slipway/core/errors";

import { isIndexMediaType } from "../media-types.ts";
import type { RegistryClient } from "../registry-client.ts";
import type { RegistryCall } from "../registry-call.ts";
import { formatPlatform } from "./image-content.ts";
import type { ContentDescriptor } from "./image-content.ts";
import type { ImageNode } from "./image-graph.ts";
import { isAttestation } from "./platform-filter.ts";

type Platforms = readonly { readonly platform: string; readonly digest: string }[];

const maxConfigBytes = 4 * 1024 * 1024;

/** The platforms of an image: of an index as it names them, else as the image's configuration does. */
export async function readPlatforms(
  client: RegistryClient,
  repository: string,
  root: ImageNode,
  signal: AbortSignal,
): Promise<Platforms> {
  if (isIndexMediaType(root.mediaType)) return platformsOf(root);
  const [config] = root.content.configs;
  const platform = config && (await platformOfConfig(client, repository, config, { signal }));
  return platform === undefined ? [] : [{ platform, digest: root.digest }];
}

/** The platform that an image's configuration names; `undefined` if it names none, or is not there. */
export async function platformOfConfig(
  client: RegistryClient,
  repository: string,
  { digest, sizeBytes }: Pick<ContentDescriptor, "digest" | "sizeBytes">,
  call: RegistryCall,
): Promise<string | undefined> {
  if (sizeBytes > maxConfigBytes) return undefined;
  const reader = await client.getBlob(repository, digest, call);
  const parts: Uint8Array[] = [];
  for await (const part of reader?.chunks ?? []) parts.push(part);
  return formatPlatform(parseConfig(Buffer.concat(parts)));
}

/** The platforms of an index, attestations left out. */
function platformsOf(root: ImageNode, seen = new Set<string>()): Platforms {
  if (seen.has(root.digest)) return [];
  seen.add(root.digest);
  const indexes = root.children.filter(({ mediaType }) => isIndexMediaType(mediaType));
  return [...imagePlatforms(root.content.children), ...indexes.flatMap((index) => platformsOf(index, seen))];
}

/** The images among what an index names, with their platforms. */
export function imagePlatforms(children: readonly ContentDescriptor[]): Platforms {
  return children.flatMap((child) =>
    child.platform === undefined || isAttestation(child) || isIndexMediaType(child.mediaType)
      ? []
      : [{ platform: child.platform, digest: child.digest }],
  );
}

function parseConfig(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const config: unknown = JSON.parse(bytes.toString());
    return typeof config === "object" && config !== null ? (config as Readonly<Record<string, unknown>>) : {};
  } catch {
    // Something else than an image: a chart, a policy.
    return {};
  }
}

/** @throws `INVALID_OPTIONS` when one of the platforms that are asked for is not there */
export function requirePlatforms(source: string, there: Platforms, wanted: readonly string[]): void {
  const known = new Set(there.map(({ platform }) => normalizePlatform(platform)));
  const missing = wanted.filter((platform) => !known.has(normalizePlatform(platform)));
  if (missing.length === 0) return;
  const has = known.size === 0 ? "says nothing about its platforms" : `has ${[...known].join(", ")}`;
  const message = `${source} ${has}, and ${missing.join(", ")} is asked for`;
  throw invalidOptions("publishing", [{ path: "platforms", message }]);
}
