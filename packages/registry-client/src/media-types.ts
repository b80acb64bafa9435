import type { RegistryResponse } from "./registry-transport.ts";

/** Media types of manifests and indexes: those of OCI, and Docker's own, which are still in use. */
export const manifestMediaTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
] as const;

/** Whether a media type is that of an index: a list of manifests, one for each platform. */
export function isIndexMediaType(mediaType: string): boolean {
  return mediaType === manifestMediaTypes[0] || mediaType === manifestMediaTypes[2];
}

/** The type of an answer, without its parameters; empty where none is named. */
export function mediaTypeOf({ headers }: Pick<RegistryResponse, "headers">): string {
  return (headers.get("content-type") ?? "").replace(/;.*/s, "").trim();
}
