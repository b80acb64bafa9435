import { createHash } from "node:crypto";

/** What a registry knows about a manifest: enough to fetch and to verify it. */
export interface Descriptor {
  readonly mediaType: string;
  /** `sha256:…` */
  readonly digest: string;
  readonly sizeBytes: number;
}

/** A manifest or index, verified. */
export interface Manifest extends Descriptor {
  /** The exact bytes that the digest is of. */
  readonly bytes: Uint8Array;
}

/** What is put into a registry. */
export interface ManifestContent {
  readonly mediaType: string;
  /** Stored as they are, since the digest is of exactly these. */
  readonly bytes: Uint8Array;
}

/** The digest of some bytes. @param algorithm - As in a digest: `sha256`, `sha512`. */
export function computeDigest(bytes: Uint8Array, algorithm = "sha256"): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

/** A manifest's JSON; `undefined` if it is none. */
export function parseManifestJson(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
