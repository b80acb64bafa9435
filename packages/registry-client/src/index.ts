/**
 * Image references as engines read them, and a client for OCI registries over the network or over any stream.
 *
 * @packageDocumentation
 */
export type { AccessCheck } from "./access-check.ts";
export type { AddressGuardOptions } from "./address-guard.ts";
export type { BlobReader } from "./blob-reader.ts";
export type { BlobUpload, CancelUploadOptions, FinishUploadOptions } from "./blob-upload.ts";
export type { BlobDescriptor, BlobRequests, GetBlobOptions, StartUploadOptions } from "./blobs.ts";
export type { RegistryLogin } from "./check-login.ts";
export type { CheckPushOptions, CreateRepository } from "./check-push.ts";
export { copyImage } from "./copy/copy-image.ts";
export type { CopyImageOptions } from "./copy/copy-options.ts";
export { sourceNotFound } from "./copy/read-image-graph.ts";
export type { DockerfileImagesOptions } from "./dockerfile-images.ts";
export { dockerfileImages } from "./dockerfile-images.ts";
export { expandVariables } from "./expand-variables.ts";
export type { ImageReference } from "./image-reference.ts";
export {
  formatFamiliarReference,
  formatImageReference,
  isDigest,
  isImageReference,
  parseImageReference,
} from "./image-reference.ts";
export type { ListingRequests, ListOptions, ListReferrersOptions, ReferrersKnowledge } from "./listing-requests.ts";
export type { Descriptor, Manifest, ManifestContent } from "./manifest.ts";
export { computeDigest } from "./manifest.ts";
export type { ManifestRequests, PutManifestResult } from "./manifest-requests.ts";
export { isIndexMediaType, manifestMediaTypes } from "./media-types.ts";
export type { NetworkTransportOptions } from "./network-transport.ts";
export { createNetworkTransport } from "./network-transport.ts";
export type { RegistryPing } from "./ping.ts";
export { findImage } from "./presence/find-image.ts";
export { identityArtifactType, recordIdentity } from "./presence/image-identity.ts";
export type { ReferrerDescriptor } from "./referrer.ts";
export type { ReadCall, RegistryCall } from "./registry-call.ts";
export type { RegistryClient } from "./registry-client.ts";
export { createRegistryClient } from "./registry-client.ts";
export type { RegistryClientOptions, RegistryMirror } from "./registry-options.ts";
export type {
  RegistryRequest,
  RegistryResponse,
  RegistryTransport,
  RequestBody,
  RequestStream,
} from "./registry-transport.ts";
export type { GrantedScope, RegistryToken, TokenRequest } from "./registry-token.ts";
export type { Dial } from "./http/dial-stream.ts";
export type { StreamTransportOptions } from "./stream-transport.ts";
export { createStreamTransport } from "./stream-transport.ts";
