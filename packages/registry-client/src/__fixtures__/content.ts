import { computeDigest } from "../manifest.ts";

/** What a registry has under a digest. */
export interface Content {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** Media type of an index. */
export const indexType = "application/vnd.oci.image.index.v1+json";
/** Media type of a manifest. */
export const manifestType = "application/vnd.oci.image.manifest.v1+json";

/** A manifest or index. */
export function manifestOf(mediaType: string, value: object): Content {
  return { mediaType, bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...value })) };
}

/** How a manifest or index names it. */
export function descriptorOf({ mediaType, bytes }: Content, more: object = {}): object {
  return { mediaType, digest: computeDigest(bytes), size: bytes.length, ...more };
}
