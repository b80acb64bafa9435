import type { BlobReader } from "./blob-reader.ts";
import { readBlobResponse } from "./blob-reader.ts";
import type { BlobUpload } from "./blob-upload.ts";
import { openUpload } from "./blob-upload.ts";
import type { ReadCall, RegistryCall } from "./registry-call.ts";
import { neverAborted } from "./registry-call.ts";
import { unusableAnswerError } from "./registry-error.ts";
import type { RegistryResponse } from "./registry-transport.ts";
import type { RegistryRequests } from "./request-context.ts";
import { requireBlobName, requireRepository } from "./request-names.ts";
import { discardBody } from "./response-body.ts";
import { uploadNotFound } from "./upload-not-found.ts";

/** What a registry says about a blob. */
export interface BlobDescriptor {
  /** `sha256:…` */
  readonly digest: string;
  readonly sizeBytes: number;
}

/** What `getBlob` takes. */
export interface GetBlobOptions extends RegistryCall {
  /** Bytes to leave out at the start. @defaultValue 0 */
  readonly offset?: number | undefined;
  /** `false` when the caller computes the digest, as one has to that goes on from an offset. @defaultValue `true` */
  readonly verify?: boolean | undefined;
  /**
   * Memory into which the next chunk may be read; `unreadBytes` come before it that have not been handed out yet. Whoever gives it is done with
   * each chunk before asking for the next, which may take its place. A chunk need not lie in that memory.
   */
  readonly memory?: ((unreadBytes: number) => Uint8Array | undefined) | undefined;
}

/** What `startUpload` takes. */
export interface StartUploadOptions extends RegistryCall {
  /** A blob that another repository of the registry has. */
  readonly mount?: { readonly digest: string; readonly from: string } | undefined;
}

/** Layers and configurations: the bytes that manifests name by their digests. */
export interface BlobRequests {
  /**
   * Size of a blob; `undefined` if the repository does not have it.
   *
   * @param repository - Its path within this registry: `team/api`.
   * @throws `REGISTRY_UNAUTHORIZED`, `REGISTRY_UNAVAILABLE`, `REGISTRY_REFUSED`, `INVALID_OPTIONS` for what is no path of a repository, or no digest
   */
  headBlob(repository: string, digest: string, call?: ReadCall): Promise<BlobDescriptor | undefined>;
  /** The blob, verified while it streams; `undefined` if the repository does not have it. Throws as {@link BlobRequests.headBlob}. */
  getBlob(repository: string, digest: string, options?: GetBlobOptions): Promise<BlobReader | undefined>;
  /** Takes a blob out of a repository, even if a manifest names it. Whether it was there. Throws as {@link BlobRequests.headBlob}. */
  deleteBlob(repository: string, digest: string, call?: RegistryCall): Promise<boolean>;
  /**
   * Opens an upload. With `mount` the registry takes the blob from its other repository, if it has it and lets the same credentials read it:
   * then nothing is opened. Throws as {@link BlobRequests.headBlob}, and `REPOSITORY_NOT_FOUND`.
   */
  startUpload(repository: string, options?: StartUploadOptions): Promise<"mounted" | BlobUpload>;
}

/** Blob requests on top of what sends requests. */
export function createBlobRequests(requests: RegistryRequests): BlobRequests {
  return {
    headBlob: async (repository, digest, call) => {
      requireBlobName(repository, digest);
      return await headBlob(requests, repository, digest, call);
    },
    getBlob: async (repository, digest, options) => {
      requireBlobName(repository, digest);
      return await getBlob(requests, repository, digest, options);
    },
    deleteBlob: async (repository, digest, call) => {
      requireBlobName(repository, digest);
      return await deleteBlob(requests, repository, digest, call);
    },
    startUpload: async (repository, options) => {
      requireRepository(repository);
      if (options?.mount !== undefined) requireBlobName(options.mount.from, options.mount.digest);
      return await startUpload(requests, repository, options);
    },
  };
}

async function headBlob(
  requests: RegistryRequests,
  repository: string,
  digest: string,
  { signal = neverAborted(), direct }: ReadCall = {},
): Promise<BlobDescriptor | undefined> {
  const purpose = `look for ${nameOf(requests, repository, digest)}`;
  const url = `${repository}/blobs/${digest}`;
  const response = await requests.send({ method: "HEAD", url, repository, actions: ["pull"], purpose, signal, direct });
  await discardBody(response);
  if (response.status === 404) return undefined;
  if (!response.ok) throw await requests.fail(purpose, response);
  return { digest, sizeBytes: Number(response.headers.get("content-length") ?? Number.NaN) };
}

async function getBlob(
  requests: RegistryRequests,
  repository: string,
  digest: string,
  { offset = 0, verify = true, memory, signal = neverAborted() }: GetBlobOptions = {},
): Promise<BlobReader | undefined> {
  const name = nameOf(requests, repository, digest);
  const purpose = `read ${name}`;
  const response = await requests.send({
    method: "GET",
    url: `${repository}/blobs/${digest}`,
    headers: offset === 0 ? {} : { range: `bytes=${offset}-` },
    repository,
    actions: ["pull"],
    purpose,
    signal,
    bulk: memory,
  });
  if (response.ok) {
    const { registry } = requests;
    try {
      const sizeBytes = await sizeOf(requests, repository, digest, response, signal);
      return readBlobResponse(response, { registry, name, digest, offset, sizeBytes, verify, signal });
    } catch (error) {
      // Nobody will read it: without this its connection would stay open.
      await response.body?.cancel();
      throw error;
    }
  }
  if (response.status !== 404) throw await requests.fail(purpose, response);
  await discardBody(response);
  return undefined;
}

/** What has no announced end need not have one: then the answer to HEAD must say where it is. */
async function sizeOf(
  requests: RegistryRequests,
  repository: string,
  digest: string,
  response: RegistryResponse,
  signal: AbortSignal,
): Promise<number | undefined> {
  const announces = ["content-length", "content-range"].some((name) => response.headers.get(name) !== null);
  if (announces) return undefined;
  const sizeBytes = (await headBlob(requests, repository, digest, { signal }))?.sizeBytes;
  if (sizeBytes !== undefined && !Number.isNaN(sizeBytes)) return sizeBytes;
  const { registry } = requests;
  const subject = { registry, purpose: `read ${nameOf(requests, repository, digest)}`, tried: [] };
  throw unusableAnswerError(subject, response.status, "it does not say how long the blob is");
}

async function deleteBlob(
  requests: RegistryRequests,
  repository: string,
  digest: string,
  { signal = neverAborted() }: RegistryCall = {},
): Promise<boolean> {
  const purpose = `delete ${nameOf(requests, repository, digest)}`;
  const url = `${repository}/blobs/${digest}`;
  const response = await requests.send({ method: "DELETE", url, repository, actions: ["delete"], purpose, signal });
  if (!response.ok && response.status !== 404) throw await requests.fail(purpose, response);
  await discardBody(response);
  return response.ok;
}

async function startUpload(
  requests: RegistryRequests,
  repository: string,
  { mount, signal = neverAborted() }: StartUploadOptions = {},
): Promise<"mounted" | BlobUpload> {
  const purpose = `upload to ${requests.registry}/${repository}`;
  const query =
    mount === undefined ? "" : `?${new URLSearchParams({ mount: mount.digest, from: mount.from }).toString()}`;
  const response = await requests.send({
    method: "POST",
    url: `${repository}/blobs/uploads/${query}`,
    repository,
    actions: ["pull", "push"],
    ...(mount === undefined ? {} : { alsoPull: [mount.from] }),
    purpose,
    signal,
  });
  if (response.status === 201 && mount !== undefined) {
    await discardBody(response);
    return "mounted";
  }
  if (response.status === 404) throw (await uploadNotFound(requests, repository, purpose, response)).failure;
  if (response.status !== 202) throw await requests.fail(purpose, response);
  await discardBody(response);
  return openUpload(requests, repository, response);
}

function nameOf({ registry }: RegistryRequests, repository: string, digest: string): string {
  return `${registry}/${repository}@${digest}`;
}
