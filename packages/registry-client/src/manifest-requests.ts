import { BuilderError, invalidOptions } from "@slipway/core/errors";

import { deleteTag } from "./delete-tag.ts";
import type { ImageReference } from "./image-reference.ts";
import { formatImageReference, isDigest } from "./image-reference.ts";
import type { Descriptor, Manifest, ManifestContent } from "./manifest.ts";
import { computeDigest, parseManifestJson } from "./manifest.ts";
import { manifestMediaTypes, mediaTypeOf } from "./media-types.ts";
import { ownReference } from "./own-reference.ts";
import { subjectOf } from "./referrer.ts";
import { addToReferrersTag } from "./referrers-tag.ts";
import type { ReadCall, RegistryCall } from "./registry-call.ts";
import { neverAborted } from "./registry-call.ts";
import { bodyError, unusableAnswerError } from "./registry-error.ts";
import type { RegistryResponse } from "./registry-transport.ts";
import type { ClientRequest, RegistryRequests } from "./request-context.ts";
import { discardBody, readBody } from "./response-body.ts";

/** Manifests may be up to 4 MiB, says the distribution specification; registries refuse larger ones. */
export const maxManifestBytes = 4 * 1024 * 1024;

/** What a registry has made of a manifest. */
export interface PutManifestResult {
  readonly digest: string;
  /** The image that the manifest refers to, if the registry lists it among its referrers by itself (`OCI-Subject`). */
  readonly subject?: string | undefined;
  /** The tag under which its referrers are listed instead, by a registry that lists none (`sha256-…`). */
  readonly referrersTag?: string | undefined;
}

/** Manifests and indexes: what tags and digests stand for. */
export interface ManifestRequests {
  /**
   * What a tag or digest stands for, without fetching it. `undefined` if the registry does not have it.
   *
   * @param reference - An image of this registry; without tag and digest it is the tag `latest`.
   * @throws `REGISTRY_UNAUTHORIZED`, `REGISTRY_UNAVAILABLE`, `REGISTRY_REFUSED`, `DIGEST_MISMATCH`, `INVALID_OPTIONS` for another registry's image
   */
  headManifest(reference: ImageReference | string, call?: ReadCall): Promise<Descriptor | undefined>;
  /**
   * The manifest or index itself. Its bytes are checked against the digest that was asked for, or the one that the registry states.
   * `undefined` if the registry does not have it. Throws as {@link ManifestRequests.headManifest}.
   */
  getManifest(reference: ImageReference | string, call?: ReadCall): Promise<Manifest | undefined>;
  /**
   * Stores exactly these bytes, under a tag or by digest. One that refers to another image (`subject`) is found by `listReferrers` from then on: a
   * registry that keeps no such list gets it as an index of its own, under the tag that the distribution specification names, unless what the manifest
   * refers to is no digest.
   * Throws as {@link ManifestRequests.headManifest}.
   */
  putManifest(
    reference: ImageReference | string,
    content: ManifestContent,
    call?: RegistryCall,
  ): Promise<PutManifestResult>;
  /**
   * Takes a manifest out of its repository: by digest together with all its tags, else the tag alone. Whether it was there.
   * Throws as {@link ManifestRequests.headManifest}, `REGISTRY_REFUSED` if deletion is switched off.
   */
  deleteManifest(reference: ImageReference | string, call?: RegistryCall): Promise<boolean>;
}

/** Manifest requests on top of what sends requests. */
export function createManifestRequests(requests: RegistryRequests): ManifestRequests {
  const own = (reference: ImageReference | string): ImageReference => ownReference(requests.registry, reference);
  const manifests: ManifestRequests = {
    headManifest: async (reference, call) => headManifest(requests, own(reference), call),
    getManifest: async (reference, call) => getManifest(requests, own(reference), call),
    putManifest: async (reference, content, call) => {
      const result = await putManifest(requests, own(reference), content, call);
      const subject = subjectOf(content);
      if (subject === undefined || result.subject !== undefined) return result;
      const referrersTag = await addToReferrersTag(manifests, own(reference), subject, content, call);
      return referrersTag === undefined ? result : { ...result, referrersTag };
    },
    deleteManifest: async (reference, call) => {
      const { registry, repository, tag = "latest", digest } = own(reference);
      return digest === undefined
        ? await deleteTag(requests, manifests, { registry, repository, tag }, call)
        : await deleteDigest(requests, { registry, repository, digest }, call);
    },
  };
  return manifests;
}

async function headManifest(
  requests: RegistryRequests,
  reference: ImageReference,
  call: ReadCall = {},
): Promise<Descriptor | undefined> {
  const response = await readingRequest(requests, "HEAD", reference, call);
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
  requests: RegistryRequests,
  reference: ImageReference,
  call: ReadCall = {},
): Promise<Manifest | undefined> {
  const response = await readingRequest(requests, "GET", reference, call);
  if (response === undefined) return undefined;
  const bytes = await readManifest(requests, reference, response);
  const stated = reference.digest ?? response.headers.get("docker-content-digest") ?? "";
  const digest = computeDigest(bytes, isDigest(stated) ? stated.split(":")[0] : undefined);
  if (isDigest(stated) && stated !== digest) throw digestMismatch(reference, stated, digest);
  // What stands between may answer for a registry: with a page to log in, for instance.
  if (parseManifestJson(bytes) === undefined) throw notManifest(requests, reference, response);
  return { mediaType: mediaTypeOf(response), digest, sizeBytes: bytes.byteLength, bytes };
}

async function readingRequest(
  requests: RegistryRequests,
  method: "GET" | "HEAD",
  reference: ImageReference,
  { signal = neverAborted(), direct }: ReadCall,
): Promise<RegistryResponse | undefined> {
  const purpose = `read the manifest of ${formatImageReference(reference)}`;
  const headers = { accept: manifestMediaTypes.join(", ") };
  const what = { method, headers, actions: ["pull"], purpose } as const;
  const response = await requests.send({ ...what, signal, direct, ...place(reference) });
  if (response.ok) return response;
  if (response.status !== 404) throw await requests.fail(purpose, response);
  await discardBody(response);
  return undefined;
}

function place({ repository, tag = "latest", digest }: ImageReference): Pick<ClientRequest, "url" | "repository"> {
  return { url: `${repository}/manifests/${digest ?? tag}`, repository };
}

async function readManifest(
  { registry }: RegistryRequests,
  reference: ImageReference,
  response: RegistryResponse,
): Promise<Uint8Array> {
  const purpose = `read the manifest of ${formatImageReference(reference)}`;
  try {
    return await readBody(response, maxManifestBytes);
  } catch (error) {
    throw bodyError({ registry, purpose, tried: [] }, response.status, error);
  }
}

async function putManifest(
  requests: RegistryRequests,
  reference: ImageReference,
  { mediaType, bytes }: ManifestContent,
  { signal = neverAborted() }: RegistryCall = {},
): Promise<PutManifestResult> {
  const digest = computeDigest(bytes, reference.digest?.split(":")[0]);
  if (reference.digest !== undefined && reference.digest !== digest)
    throw invalidOptions("the registry client", [
      { path: "reference", message: `the manifest's digest is ${digest}, not ${reference.digest}` },
    ]);
  const purpose = `push the manifest of ${formatImageReference(reference)}`;
  const headers = { "content-type": mediaType };
  const actions = ["pull", "push"] as const;
  const response = await requests.send({
    ...{ method: "PUT", body: bytes, headers, actions, purpose, signal },
    ...place(reference),
  });
  if (!response.ok) throw await requests.fail(purpose, response);
  await discardBody(response);
  const stated = response.headers.get("docker-content-digest");
  // Of a sha512 manifest under a tag a registry may state its own digest.
  if (stated !== null && stated !== digest && stated.split(":")[0] === digest.split(":")[0])
    throw digestMismatch(reference, digest, stated);
  const subject = response.headers.get("oci-subject");
  return { digest, ...(subject === null ? {} : { subject }) };
}

async function deleteDigest(
  requests: RegistryRequests,
  reference: ImageReference,
  { signal = neverAborted() }: RegistryCall = {},
): Promise<boolean> {
  const purpose = `delete ${formatImageReference(reference)}`;
  const response = await requests.send({ method: "DELETE", actions: ["delete"], purpose, signal, ...place(reference) });
  if (!response.ok && response.status !== 404) throw await requests.fail(purpose, response);
  await discardBody(response);
  return response.ok;
}

function notManifest(
  { registry }: RegistryRequests,
  reference: ImageReference,
  response: RegistryResponse,
): BuilderError {
  const purpose = `read the manifest of ${formatImageReference(reference)}`;
  const type = mediaTypeOf(response);
  const reason = `it is ${type === "" ? "something else" : type} instead of a manifest`;
  return unusableAnswerError({ registry, purpose, tried: [] }, response.status, reason);
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
