import { BuilderError, invalidOptions } from "@slipway/core";

import type { AuthorizedSender } from "./authorized-requests.ts";
import { createAuthorizedSender } from "./authorized-requests.ts";
import type { ImageReference } from "./image-reference.ts";
import { formatImageReference, isDigest, parseImageReference } from "./image-reference.ts";
import type { Descriptor, Manifest } from "./manifest.ts";
import { computeDigest } from "./manifest.ts";
import { manifestMediaTypes } from "./media-types.ts";
import { responseError } from "./registry-error.ts";
import type { RegistryClientOptions } from "./registry-options.ts";
import { registryUrl } from "./registry-options.ts";
import { abortError } from "./registry-requests.ts";
import { createFetchTransport } from "./registry-transport.ts";
import { BodyTooLargeError, discardBody, readBody } from "./response-body.ts";
import type { RegistryResponse } from "./registry-transport.ts";

/** Manifests may be up to 4 MiB, says the distribution specification; registries refuse larger ones. */
const maxManifestBytes = 4 * 1024 * 1024;

/** What each call takes. */
export interface RegistryCall {
  readonly signal?: AbortSignal | undefined;
}

/** Asks one registry about images. */
export interface RegistryClient {
  /**
   * What a tag or digest stands for, without fetching it. `undefined` if the registry does not have it.
   *
   * @param reference - An image of this registry; without tag and digest it is the tag `latest`.
   * @throws `REGISTRY_UNAUTHORIZED`, `REGISTRY_UNAVAILABLE`, `REGISTRY_REFUSED`, `DIGEST_MISMATCH`, `INVALID_OPTIONS` for another registry's image
   */
  headManifest(reference: ImageReference | string, call?: RegistryCall): Promise<Descriptor | undefined>;
  /**
   * The manifest or index itself. Its bytes are checked against the digest that was asked for, or the one that the registry states.
   * `undefined` if the registry does not have it. Throws as {@link RegistryClient.headManifest}.
   */
  getManifest(reference: ImageReference | string, call?: RegistryCall): Promise<Manifest | undefined>;
}

/** Makes a client for one registry. Nothing is sent, and no credential asked for, before the first call. */
export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  const { registry, http, ca, credentials, readSecret, retryDelaysMs = [250, 1_000] } = options;
  const url = registryUrl(registry, http);
  const transport = options.transport ?? createFetchTransport({ ca });
  const sender = createAuthorizedSender({ registry, url, transport, credentials, readSecret, retryDelaysMs });
  const requests: ManifestRequests = { registry, url, sender };
  return {
    headManifest: (reference, call) => headManifest(requests, ownReference(registry, reference), call),
    getManifest: (reference, call) => getManifest(requests, ownReference(registry, reference), call),
  };
}

interface ManifestRequests {
  readonly registry: string;
  readonly url: URL;
  readonly sender: AuthorizedSender;
}

function ownReference(registry: string, reference: ImageReference | string): ImageReference {
  const parsed = typeof reference === "string" ? parseImageReference(reference) : reference;
  if (parsed.registry === registry) return parsed;
  const message = `${formatImageReference(parsed)} is not an image of ${registry}`;
  throw invalidOptions("the registry client", [{ path: "reference", message }]);
}

async function headManifest(
  requests: ManifestRequests,
  reference: ImageReference,
  call: RegistryCall = {},
): Promise<Descriptor | undefined> {
  const response = await request(requests, "HEAD", reference, call);
  if (response === undefined) return undefined;
  const digest = response.headers.get("docker-content-digest");
  const length = response.headers.get("content-length");
  // Registries may leave these out; the manifest itself has them.
  if (digest === null || length === null || !isDigest(digest))
    return withoutBytes(await getManifest(requests, reference, call));
  requireDigest(reference, digest);
  return { mediaType: mediaTypeOf(response), digest, sizeBytes: Number(length) };
}

function withoutBytes(manifest: Manifest | undefined): Descriptor | undefined {
  return manifest && { mediaType: manifest.mediaType, digest: manifest.digest, sizeBytes: manifest.sizeBytes };
}

async function getManifest(
  requests: ManifestRequests,
  reference: ImageReference,
  call: RegistryCall = {},
): Promise<Manifest | undefined> {
  const response = await request(requests, "GET", reference, call);
  if (response === undefined) return undefined;
  const bytes = await readManifest(requests, reference, response, call);
  const stated = reference.digest ?? response.headers.get("docker-content-digest") ?? "";
  const digest = computeDigest(bytes, isDigest(stated) ? stated.split(":")[0] : undefined);
  if (isDigest(stated) && stated !== digest) throw digestMismatch(reference, stated, digest);
  return { mediaType: mediaTypeOf(response), digest, sizeBytes: bytes.byteLength, bytes };
}

async function request(
  { registry, url, sender }: ManifestRequests,
  method: "GET" | "HEAD",
  reference: ImageReference,
  { signal = new AbortController().signal }: RegistryCall,
): Promise<RegistryResponse | undefined> {
  const { repository, tag = "latest", digest } = reference;
  const purpose = `read the manifest of ${formatImageReference(reference)}`;
  const manifestUrl = new URL(`${repository}/manifests/${digest ?? tag}`, url);
  const headers = { accept: manifestMediaTypes.join(", ") };
  const response = await sender.send({ method, url: manifestUrl, headers, repository, purpose, signal });
  if (response.ok) return response;
  if (response.status !== 404) throw await responseError({ registry, purpose, tried: [] }, response);
  await discardBody(response);
  return undefined;
}

async function readManifest(
  { registry }: ManifestRequests,
  reference: ImageReference,
  response: RegistryResponse,
  { signal }: RegistryCall,
): Promise<Uint8Array> {
  try {
    return await readBody(response, maxManifestBytes);
  } catch (error) {
    if (signal?.aborted) throw abortError(signal);
    const large = error instanceof BodyTooLargeError;
    throw new BuilderError({
      code: large ? "REGISTRY_REFUSED" : "REGISTRY_UNAVAILABLE",
      message: large
        ? `The manifest of ${formatImageReference(reference)} has ${error.message}. It is no manifest that a registry should serve.`
        : `The connection to ${registry} ended within the manifest of ${formatImageReference(reference)}. Try again.`,
      details: { registry, status: response.status, diagnostics: [], triedCredentials: [] },
      cause: error,
    });
  }
}

function mediaTypeOf(response: RegistryResponse): string {
  return (response.headers.get("content-type") ?? "").replace(/;.*/s, "").trim();
}

function requireDigest(reference: ImageReference, actual: string): void {
  if (reference.digest !== undefined && reference.digest !== actual)
    throw digestMismatch(reference, reference.digest, actual);
}

function digestMismatch(reference: ImageReference, expected: string, actual: string): BuilderError {
  return new BuilderError({
    code: "DIGEST_MISMATCH",
    message: `The registry serves ${actual} as ${formatImageReference(reference)}, where ${expected} was expected. Something in between changes images, or the registry's storage is damaged.`,
    details: { expected, actual },
  });
}
