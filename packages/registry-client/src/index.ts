/**
 * Image references as engines read them, and a client for OCI registries over the network or over any stream.
 *
 * @packageDocumentation
 */
export type { ImageReference } from "./image-reference.ts";
export { formatFamiliarReference, formatImageReference, isDigest, parseImageReference } from "./image-reference.ts";
export type { Descriptor, Manifest } from "./manifest.ts";
export { computeDigest } from "./manifest.ts";
export { isIndexMediaType, manifestMediaTypes } from "./media-types.ts";
export type { RegistryCall, RegistryClient } from "./registry-client.ts";
export { createRegistryClient } from "./registry-client.ts";
export type { RegistryClientOptions } from "./registry-options.ts";
export type {
  FetchTransportOptions,
  RegistryRequest,
  RegistryResponse,
  RegistryTransport,
} from "./registry-transport.ts";
export { createFetchTransport } from "./registry-transport.ts";
export type { StreamTransportOptions } from "./stream-transport.ts";
export { createStreamTransport } from "./stream-transport.ts";
