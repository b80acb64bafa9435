import type { Descriptor, ManifestContent } from "./manifest.ts";
import { computeDigest, parseManifestJson } from "./manifest.ts";

/** A manifest that refers to another one: a signature, an SBOM, an attestation. */
export interface ReferrerDescriptor extends Descriptor {
  readonly artifactType?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** Digest of the image that a manifest refers to; `undefined` if it stands for itself. */
export function subjectOf({ bytes }: Pick<ManifestContent, "bytes">): string | undefined {
  const subject = parseManifestJson(bytes)?.["subject"];
  const digest = isObject(subject) ? subject["digest"] : undefined;
  return typeof digest === "string" ? digest : undefined;
}

/** How a manifest is listed among the referrers of its subject. */
export function referrerDescriptor({ mediaType, bytes }: ManifestContent): ReferrerDescriptor {
  const { artifactType, config, annotations } = parseManifestJson(bytes) ?? {};
  const configType = isObject(config) ? config["mediaType"] : undefined;
  const type = [artifactType, configType].find((value) => typeof value === "string" && value !== "");
  return {
    mediaType,
    digest: computeDigest(bytes),
    sizeBytes: bytes.byteLength,
    ...(typeof type === "string" ? { artifactType: type } : {}),
    ...(isObject(annotations) ? { annotations: onlyTexts(annotations) } : {}),
  };
}

/** The manifests that an index lists. What is no descriptor is left out. */
export function parseReferrers(bytes: Uint8Array): ReferrerDescriptor[] {
  const manifests = parseManifestJson(bytes)?.["manifests"];
  return Array.isArray(manifests) ? manifests.flatMap((entry: unknown) => parseDescriptor(entry) ?? []) : [];
}

function parseDescriptor(entry: unknown): ReferrerDescriptor | undefined {
  if (!isObject(entry)) return undefined;
  const { mediaType, digest, size, artifactType, annotations } = entry;
  if (typeof mediaType !== "string" || typeof digest !== "string" || typeof size !== "number") return undefined;
  return {
    mediaType,
    digest,
    sizeBytes: size,
    ...(typeof artifactType === "string" ? { artifactType } : {}),
    ...(isObject(annotations) ? { annotations: onlyTexts(annotations) } : {}),
  };
}

/** An index that lists referrers, as the referrers tag holds it. */
export function formatReferrersIndex(mediaType: string, referrers: readonly ReferrerDescriptor[]): Uint8Array {
  const manifests = referrers.map(({ sizeBytes, mediaType: type, digest, ...rest }) => ({
    mediaType: type,
    digest,
    size: sizeBytes,
    ...rest,
  }));
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
}

/** The tag under which registries without a list of referrers keep one: `sha256-…`. */
export function referrersTag(digest: string): string {
  // Tags have at most 128 characters, and no colon.
  const [algorithm = "", hex = ""] = digest.split(":");
  return `${algorithm.slice(0, 32)}-${hex.slice(0, 64)}`;
}

function onlyTexts(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
