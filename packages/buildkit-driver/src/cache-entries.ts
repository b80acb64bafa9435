import type { CacheEntry } from "@slipway/buildkit-client";
import type { Cache } from "@slipway/core";

/** The caches that BuildKit reads. */
export function cacheImports(caches: readonly Cache[]): readonly CacheEntry[] {
  // An inline cache lies in an image: it is read as a registry cache of that image's reference, so by itself it names nothing.
  return caches.filter((cache) => cache.type !== "inline").map(entry);
}

/** The caches that BuildKit writes. */
export function cacheExports(caches: readonly Cache[]): readonly CacheEntry[] {
  return caches.map(entry);
}

function entry(cache: Cache): CacheEntry {
  switch (cache.type) {
    case "inline":
      return { type: "inline", attributes: {} };
    case "registry":
      return { type: "registry", attributes: { ref: cache.reference, ...mode(cache.mode) } };
    case "local":
      return { type: "local", attributes: { dest: cache.directory, src: cache.directory, ...mode(cache.mode) } };
    default:
      return { type: cache.type, attributes: { ...cache.attributes, ...mode(cache.mode) } };
  }
}

function mode(value: "min" | "max" | undefined): Record<string, string> {
  return value === undefined ? {} : { mode: value };
}
