import { setTimeout as delay } from "node:timers/promises";

import { BuilderError } from "@slipway/core";

import type { BlobUpload } from "../blob-upload.ts";
import type { RegistryClient } from "../registry-client.ts";
import { abortError } from "../registry-requests.ts";
import type { BlobChunk } from "./blob-chunks.ts";
import type { ContentDescriptor } from "./image-content.ts";
import { createRetries } from "./retries.ts";

const settleMs = 100;
const maxLooks = 20;

/** A blob and one repository that it goes to. */
export interface BlobAddress {
  readonly client: RegistryClient;
  readonly repository: string;
  readonly blob: ContentDescriptor;
  /** Repository of the same registry that has the blob. */
  readonly mountFrom: string | undefined;
  /** Acknowledged bytes, as they become more; fewer when the registry has lost some. */
  readonly onReceived: (sizeBytes: number) => void;
  readonly signal: AbortSignal;
  /** Fires some time after `signal`: what is on its way may arrive, so that the registry can be told to forget it. */
  readonly graceSignal: AbortSignal;
}

/**
 * `new`: nothing is open. `open`: takes chunks. `lost`: the registry has forgotten what it had, so that the blob has to be sent from its start.
 */
export type DeliveryState = "new" | "open" | "lost" | "sent" | "mounted" | "failed";

/** Brings one blob into one repository. Its calls never throw: `state` tells. */
export interface BlobDelivery {
  readonly state: DeliveryState;
  readonly error: unknown;
  /** Mounts the blob, or opens an upload. */
  open(): Promise<void>;
  /** Sends a chunk, however often the connection ends meanwhile; with the last one the blob is complete. */
  send(chunk: BlobChunk): Promise<void>;
  /** Leaves no upload behind. */
  cancel(): Promise<void>;
}

/** Makes a delivery; nothing is sent yet. */
export function createBlobDelivery(address: BlobAddress): BlobDelivery {
  const { signal } = address;
  let state: DeliveryState = "new";
  let failure: unknown;
  let upload: BlobUpload | undefined;
  let digestOf: BlobChunk["digestOf"] | undefined;
  const is = (wanted: DeliveryState): boolean => state === wanted;
  const cancel = async (): Promise<void> => {
    const left = upload;
    upload = undefined;
    await left?.cancel({ digestOf });
  };
  const fail = async (error: unknown): Promise<void> => {
    state = "failed";
    failure = signal.aborted ? abortError(signal) : error;
    await cancel();
  };
  const start = async (): Promise<void> => {
    const started = await startUpload(address);
    if (started !== "mounted") upload = started;
    state = started === "mounted" ? "mounted" : "open";
  };
  const attempt = async (chunk: BlobChunk, uncertain: boolean, onProgress: () => void): Promise<void> => {
    if (upload !== undefined && uncertain && (await isForgotten(address, upload))) upload = undefined;
    if (uncertain && chunk.last && (await isThere(address))) state = "sent";
    else if (upload === undefined && chunk.offset > 0) state = "lost";
    else {
      if (upload === undefined) await start();
      if (upload !== undefined) state = await push(address, upload, chunk, onProgress);
    }
    if (state !== "open" && state !== "failed") upload = undefined;
  };
  return {
    get state() {
      return state;
    },
    get error() {
      return failure;
    },
    cancel,
    open: async () => {
      const retries = createRetries(signal);
      state = "new";
      while (is("new")) {
        try {
          await start();
        } catch (error) {
          await retries.after(error).catch(fail);
        }
      }
    },
    send: async (chunk) => {
      digestOf = chunk.digestOf;
      const retries = createRetries(signal);
      for (let uncertain = false; is("open"); uncertain = true) {
        try {
          await attempt(chunk, uncertain, () => {
            retries.reset();
          });
          return;
        } catch (error) {
          await retries.after(error).catch(fail);
        }
      }
    },
  };
}

async function startUpload(address: BlobAddress): Promise<"mounted" | BlobUpload> {
  const { client, repository, blob, mountFrom, graceSignal: signal } = address;
  const mount = mountFrom === undefined ? undefined : { digest: blob.digest, from: mountFrom };
  address.signal.throwIfAborted();
  try {
    return await client.startUpload(repository, { mount, signal });
  } catch (error) {
    // No credentials that may read there and write here: then the bytes travel.
    if (mount === undefined || !BuilderError.isInstance(error) || error.code !== "REGISTRY_UNAUTHORIZED") throw error;
    return await client.startUpload(repository, { signal });
  }
}

/**
 * Whether the registry does not know the upload any more: registries of version 2 forget one whose connection ended within a chunk. One that does
 * know it may still be storing what had arrived, so it is asked until its answer stays the same: bytes that it has would be refused.
 */
async function isForgotten({ signal, graceSignal }: BlobAddress, upload: BlobUpload): Promise<boolean> {
  try {
    let known = -1;
    for (let look = 0; look < maxLooks; look++) {
      const receivedBytes = await upload.status({ signal: graceSignal });
      if (receivedBytes === known) break;
      known = receivedBytes;
      await delay(settleMs, undefined, { signal });
    }
    return false;
  } catch (error) {
    if (signal.aborted) throw abortError(signal);
    if (BuilderError.isInstance(error) && !error.retryable) return true;
    throw error;
  }
}

/** The answer to the last request may be what got lost. */
async function isThere({ client, repository, blob, signal }: BlobAddress): Promise<boolean> {
  return (await client.headBlob(repository, blob.digest, { signal, direct: true })) !== undefined;
}

async function push(
  address: BlobAddress,
  upload: BlobUpload,
  { offset, bytes, last, digestOf }: BlobChunk,
  onProgress: () => void,
): Promise<DeliveryState> {
  const { blob, signal, onReceived, graceSignal } = address;
  const end = offset + bytes.byteLength;
  for (;;) {
    if (signal.aborted) throw abortError(signal);
    const { receivedBytes } = upload;
    if (receivedBytes < offset || receivedBytes > end) return await startOver(upload, digestOf);
    const rest = bytes.subarray(receivedBytes - offset);
    if (last) {
      await upload.finish(blob.digest, { chunk: rest, signal: graceSignal });
      onReceived(end);
      return "sent";
    }
    if (rest.byteLength === 0) return "open";
    await upload.write(rest, { signal: graceSignal });
    if (upload.receivedBytes <= receivedBytes) throw stuck(address);
    onProgress();
    onReceived(upload.receivedBytes);
  }
}

async function startOver(upload: BlobUpload, digestOf: BlobChunk["digestOf"]): Promise<"lost"> {
  await upload.cancel({ digestOf });
  return "lost";
}

function stuck({ client, repository }: BlobAddress): BuilderError {
  const message = `${client.registry} takes a chunk for ${repository} and says that it has no more than before. Look at the registry's log.`;
  const details = { registry: client.registry, diagnostics: [], triedCredentials: [] };
  return new BuilderError({ code: "REGISTRY_REFUSED", message, details });
}
