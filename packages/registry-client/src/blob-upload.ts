import { BuilderError } from "@slipway/core/errors";

import { dropUpload, emptyBlob } from "./drop-upload.ts";
import type { RegistryCall } from "./registry-call.ts";
import { neverAborted } from "./registry-call.ts";
import type { RegistryResponse, RequestStream } from "./registry-transport.ts";
import { isRequestStream } from "./registry-transport.ts";
import type { RegistryRequests } from "./request-context.ts";
import { requireDigest } from "./request-names.ts";
import { discardBody } from "./response-body.ts";

const cancelTimeoutMs = 10_000;
/** A chunk may be on its way for long, and storing it may take long. */
const sendTimeoutMs = 300_000;

/** What `finish` takes. */
export interface FinishUploadOptions extends RegistryCall {
  /** The last bytes, in the same request. */
  readonly chunk?: Uint8Array | undefined;
}

/** What `cancel` takes. */
export interface CancelUploadOptions {
  /**
   * The digest of the first bytes, so many as the registry has. With it an upload that may not be deleted can be ended: as a blob that no image
   * names. @defaultValue known only of an upload that has nothing
   */
  readonly digestOf?: ((receivedBytes: number) => string | undefined) | undefined;
}

/** An upload that a registry has opened. Its calls follow one another; disposing cancels one that is not finished. */
export interface BlobUpload extends AsyncDisposable {
  /** What the registry has acknowledged so far. */
  readonly receivedBytes: number;
  /** The least that a chunk other than the last must have (`OCI-Chunk-Min-Length`); 0 where it does not matter. */
  readonly minChunkBytes: number;
  /**
   * Sends the next bytes; those of a stream without a size end where it ends. @throws `REGISTRY_UNAVAILABLE`: what arrived is known only after
   * {@link BlobUpload.status}
   */
  write(chunk: Uint8Array | RequestStream, call?: RegistryCall): Promise<void>;
  /** Asks how much the registry has. @throws `REGISTRY_REFUSED` when it does not know the upload any more */
  status(call?: RegistryCall): Promise<number>;
  /** Makes the bytes a blob. The registry checks the digest. @throws `REGISTRY_REFUSED` when they are not those of the digest */
  finish(digest: string, options?: FinishUploadOptions): Promise<void>;
  /** Tells the registry to forget the upload. Never throws: a registry that cannot do it forgets uploads by itself after some time. */
  cancel(options?: CancelUploadOptions): Promise<void>;
}

/** The upload that the answer to a `POST` is about. */
export function openUpload(requests: RegistryRequests, repository: string, started: RegistryResponse): BlobUpload {
  const purpose = `upload to ${requests.registry}/${repository}`;
  const access = { repository, actions: ["pull", "push"], purpose } as const;
  let url = locationOf(requests, purpose, started, requests.url);
  let receivedBytes = 0;
  let open = true;
  // After a lost answer the address may be one for an offset that is past.
  let certain = true;

  const settle = async (response: RegistryResponse, expectedBytes: number): Promise<void> => {
    url = locationOf(requests, purpose, response, url);
    receivedBytes = receivedFrom(response) ?? expectedBytes;
    certain = true;
    await discardBody(response);
  };
  const write: BlobUpload["write"] = async (chunk, { signal = neverAborted() } = {}) => {
    const isStream = isRequestStream(chunk);
    const sizeBytes = isStream ? chunk.sizeBytes : chunk.byteLength;
    if (sizeBytes === 0) return;
    const body = isStream ? countedStream(chunk) : chunk;
    const headers = {
      "content-type": "application/octet-stream",
      ...(sizeBytes === undefined ? {} : { "content-range": `${receivedBytes}-${receivedBytes + sizeBytes - 1}` }),
    };
    certain = false;
    const response = await requests.send({
      method: "PATCH",
      url,
      headers,
      body,
      ...access,
      signal,
      // A stream takes as long as its source does.
      ...(isStream ? {} : { timeoutMs: sendTimeoutMs }),
    });
    if (!response.ok) throw await requests.fail(purpose, response);
    await settle(response, receivedBytes + ("sentBytes" in body ? body.sentBytes() : body.byteLength));
  };
  const status: BlobUpload["status"] = async ({ signal = neverAborted() } = {}) => {
    const response = await requests.send({ method: "GET", url, ...access, signal });
    if (!response.ok) throw await requests.fail(purpose, response);
    await settle(response, 0);
    return receivedBytes;
  };
  const finish: BlobUpload["finish"] = async (digest, { chunk, signal = neverAborted() } = {}) => {
    requireDigest(digest);
    const target = new URL(url);
    target.searchParams.set("digest", digest);
    const headers = { "content-type": "application/octet-stream" };
    certain = false;
    const body = chunk ?? new Uint8Array();
    const response = await requests.send({
      method: "PUT",
      url: target,
      headers,
      body,
      ...access,
      signal,
      timeoutMs: sendTimeoutMs,
      // What of the bytes has arrived is to be asked first.
      repeatable: false,
    });
    if (!response.ok) throw await requests.fail(purpose, response);
    await discardBody(response);
    open = false;
  };
  const cancel: BlobUpload["cancel"] = async ({ digestOf } = {}) => {
    if (!open) return;
    open = false;
    const signal = AbortSignal.timeout(cancelTimeoutMs);
    if (!certain) await status({ signal }).catch(() => undefined);
    const digest = receivedBytes === 0 ? emptyBlob : digestOf?.(receivedBytes);
    await dropUpload(requests, { url, repository, purpose, digest, signal });
  };
  return {
    get receivedBytes() {
      return receivedBytes;
    },
    minChunkBytes: Number(/^\d+$/.exec(started.headers.get("oci-chunk-min-length") ?? "")?.[0] ?? 0),
    write,
    status,
    finish,
    cancel,
    [Symbol.asyncDispose]: () => cancel(),
  };
}

/** A stream that knows how much of it was taken. */
function countedStream({ sizeBytes, chunks }: RequestStream): RequestStream & { readonly sentBytes: () => number } {
  let sentBytes = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      sentBytes += chunk.byteLength;
      yield chunk;
    }
  };
  return { sizeBytes, chunks: counted(), sentBytes: () => sentBytes };
}

/** Where the upload goes on: absolute or relative, and its query is part of it. Absent means that it has not changed. */
function locationOf(requests: RegistryRequests, purpose: string, response: RegistryResponse, current: URL): URL {
  const location = response.headers.get("location");
  const url = location === null ? (current === requests.url ? null : current) : URL.parse(location, current.href);
  if (url !== null) return url;
  throw new BuilderError({
    code: "REGISTRY_REFUSED",
    message: `Cannot ${purpose}: ${requests.registry} opened an upload and does not say where. Look at the registry's log, and at any proxy before it.`,
    details: { registry: requests.registry, status: response.status, diagnostics: [], triedCredentials: [] },
  });
}

/** `0-41` means 42 bytes; of an empty upload registries say `0-0`. */
function receivedFrom(response: RegistryResponse): number | undefined {
  const match = /(\d+)-(\d+)$/.exec(response.headers.get("range") ?? "");
  if (match === null) return undefined;
  const last = Number(match[2]);
  return last === 0 ? 0 : last + 1;
}
