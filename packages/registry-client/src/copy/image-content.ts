import { BuilderError } from "@slipway/core/errors";

import { isDigest } from "../image-reference.ts";
import { isIndexMediaType, manifestMediaTypes } from "../media-types.ts";

/** A descriptor as it stands in a manifest or index. */
export interface ContentDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly sizeBytes: number;
  /** `os/architecture[/variant]` */
  readonly platform?: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What a manifest or index names. */
export interface ImageContent {
  /** Manifests and indexes, in their order. */
  readonly children: readonly ContentDescriptor[];
  /** The configuration, if there is one. */
  readonly configs: readonly ContentDescriptor[];
  /** Configuration and layers, those left out that their vendors serve themselves. */
  readonly blobs: readonly ContentDescriptor[];
  /** Of the manifest that this one refers to. */
  readonly subject: string | undefined;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads what a manifest or index names.
 *
 * @param name - For messages.
 * @throws `REGISTRY_REFUSED` if it is none
 */
export function parseImageContent(mediaType: string, bytes: Uint8Array, name: string): ImageContent {
  const json = parseObject(bytes, name);
  const entries = isIndexMediaType(mediaType)
    ? listOf(json, "manifests", name)
    : [objectOf(json, "config", name), ...listOf(json, "layers", name)];
  const descriptors = entries.map((entry) => parseDescriptor(entry, name));
  const configs = isIndexMediaType(mediaType) ? [] : descriptors.slice(0, 1);
  const subject = json["subject"] === undefined ? undefined : parseDescriptor(objectOf(json, "subject", name), name);
  return {
    children: descriptors.filter(isManifest),
    configs,
    blobs: descriptors.filter((descriptor) => !isManifest(descriptor) && !isForeign(descriptor)),
    subject: subject?.digest,
  };
}

/** BuildKit's caches are indexes, too, whose entries are layers. */
function isManifest({ mediaType }: ContentDescriptor): boolean {
  return (manifestMediaTypes as readonly string[]).includes(mediaType);
}

/** Layers of Windows that may not be passed on: their manifests say where they are. */
function isForeign({ mediaType }: ContentDescriptor): boolean {
  return /\.(nondistributable|foreign)\./.test(mediaType);
}

function parseDescriptor(entry: unknown, name: string): ContentDescriptor {
  const { mediaType, digest, size } = isObject(entry) ? entry : {};
  if (typeof digest !== "string" || !isDigest(digest) || !Number.isSafeInteger(size) || Number(size) < 0)
    throw malformed(name, "has an entry without digest or size");
  return {
    mediaType: typeof mediaType === "string" ? mediaType : "",
    digest,
    sizeBytes: Number(size),
    platform: platformOf(entry as Json),
    annotations: annotationsOf(entry as Json),
  };
}

function platformOf(entry: Json): string | undefined {
  const { platform } = entry;
  return isObject(platform) ? formatPlatform(platform) : undefined;
}

/** `linux/arm/v7` from the fields that descriptors and image configurations have; `undefined` if they say nothing. */
export function formatPlatform(fields: Json): string | undefined {
  const { os, architecture, variant } = fields;
  if (typeof os !== "string" || typeof architecture !== "string" || os === "" || architecture === "") return undefined;
  return [os, architecture, ...(typeof variant === "string" && variant !== "" ? [variant] : [])].join("/");
}

function annotationsOf(json: Json): Readonly<Record<string, string>> {
  const { annotations } = json;
  if (!isObject(annotations)) return {};
  const texts = Object.entries(annotations).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return Object.fromEntries(texts);
}

function parseObject(bytes: Uint8Array, name: string): Json {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (isObject(json)) return json;
  } catch {
    // Said below.
  }
  throw malformed(name, "is no JSON object");
}

function objectOf(json: Json, key: string, name: string): Json {
  const value = json[key];
  if (isObject(value)) return value;
  throw malformed(name, `has no ${key}`);
}

function listOf(json: Json, key: string, name: string): readonly unknown[] {
  const value = json[key];
  if (Array.isArray(value)) return value;
  throw malformed(name, `has no ${key}`);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(name: string, problem: string): BuilderError {
  return new BuilderError({
    code: "REGISTRY_REFUSED",
    message: `${name} cannot be read: its manifest ${problem}. Build and push the image again.`,
    details: { registry: name.split("/")[0] ?? name, diagnostics: [`the manifest ${problem}`], triedCredentials: [] },
  });
}
