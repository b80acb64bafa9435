import { setTimeout as delay } from "node:timers/promises";

import { BuilderError } from "@slipway/core/errors";

import type { BlobUpload } from "../blob-upload.ts";
import type { RegistryClient } from "../registry-client.ts";
import { abortError } from "../registry-requests.ts";
import type { BlobChunk } from "./blob-chunks.ts";
import type { BlobStream } from "./blob-stream.ts";
import { openBlobStream } from "./blob-stream.ts";
import type { ContentDescriptor } from "./image-content.ts";
import type { PushedChunk } from "./push-chunk.ts";
import { implausible, isInvalidDigest, leastChunkBytes, pushChunk } from "./push-chunk.ts";
import { createRetries } from "./retries.ts";

const settleMs = 100;
const maxLooks = 20;
/** How often an answer has to come again. */
const settledLooks = 2;

/** A blob and one repository that it goes to. */
export interface BlobAddress {
  readonly client: RegistryClient;
  readonly repository: string;
  readonly blob: ContentDescriptor;
  /** Repository of the same registry that has the blob. */
  readonly mountFrom: string | undefined;
  /** What is known of streams to this destination. */
  readonly streams: StreamExperience;
  /** Bytes that are there or on their way, as they become more; fewer when some got lost. */
  readonly onReceived: (sizeBytes: number) => void;
  readonly signal: AbortSignal;
  /** Fires some time after `signal`: what is on its way may arrive, so that the registry can be told to forget it. */
  readonly graceSignal: AbortSignal;
}

/** What was seen of streams to a destination. */
export interface StreamExperience {
  /** One has failed, and nothing of it was kept: whether streams are refused there or forgotten, chunks are no worse. */
  lost: boolean;
}

/**
 * How a blob travels. `stream`: in one request without an announced length, as engines push; it costs the registry the least. `chunks`: in a
 * request for each chunk, so that what is known to be there grows with each.
 */
export type DeliveryForm = "stream" | "chunks";

/** `new`: nothing is open. `open`: takes chunks. `behind`: wants those from `receivedBytes` on again. */
export type DeliveryState = "new" | "open" | "behind" | "sent" | "mounted" | "failed";

/** Brings one blob into one repository. Its calls never throw: `state` tells. */
export interface BlobDelivery {
  readonly state: DeliveryState;
  readonly error: unknown;
  /** Whether opening it may find that no byte has to be sent. */
  readonly mayMount: boolean;
  /** What the registry has said that it has, from the start of the blob on. */
  readonly receivedBytes: number;
  /** The least that a chunk must have from there on, unless it is the last. */
  readonly leastChunkBytes: number;
  /** Mounts the blob, opens an upload, or finds out where the open one is. */
  open(form: DeliveryForm): Promise<void>;
  /**
   * Sends a chunk; with the last one the blob is complete. Chunks of their own are sent however often the connection ends meanwhile; a stream
   * whose connection ended falls behind.
   */
  send(chunk: BlobChunk): Promise<void>;
  /** Leaves no upload behind. */
  cancel(): Promise<void>;
}

/** Makes a delivery; nothing is sent yet. */
export function createBlobDelivery(address: BlobAddress): BlobDelivery {
  const { signal, streams } = address;
  let state: DeliveryState = "new";
  let failure: unknown;
  let upload: BlobUpload | undefined;
  let form: DeliveryForm = "chunks";
  let stream: BlobStream | undefined;
  let offeredBytes = 0;
  /** A request of the open upload has ended before its answer. */
  let isResumed = false;
  let digestOf: BlobChunk["digestOf"] | undefined;
  const is = (wanted: DeliveryState): boolean => state === wanted;
  const cancel = async (): Promise<void> => {
    const left = upload;
    upload = undefined;
    // What the registry has then is known, and so is the digest of it.
    await endStream().catch(() => undefined);
    await left?.cancel({ digestOf });
  };
  const endStream = async (): Promise<void> => {
    const left = stream;
    stream = undefined;
    await left?.end();
  };
  const fail = async (error: unknown): Promise<void> => {
    state = "failed";
    failure = signal.aborted ? abortError(signal) : error;
    await cancel();
  };
  const start = async (): Promise<void> => {
    const started = await startUpload(address);
    offeredBytes = 0;
    isResumed = false;
    if (started !== "mounted") upload = started;
    state = started === "mounted" ? "mounted" : "open";
  };
  const resume = async (open: BlobUpload): Promise<void> => {
    isResumed = true;
    if (await isForgotten(address, open)) upload = undefined;
    else if (open.receivedBytes > offeredBytes) throw implausible(address, open.receivedBytes, offeredBytes);
    else state = "open";
    if (form === "stream" && (upload?.receivedBytes ?? 0) === 0) streams.lost = true;
  };
  const attempt = async (chunk: BlobChunk, uncertain: boolean, onProgress: () => void): Promise<void> => {
    isResumed ||= uncertain;
    if (upload !== undefined && uncertain && (await isForgotten(address, upload))) upload = undefined;
    if (uncertain && chunk.last && (await isThere(address))) state = "sent";
    else if (upload === undefined && chunk.offset > 0) state = "behind";
    else {
      if (upload === undefined) await start();
      offeredBytes = Math.max(offeredBytes, chunk.end.offset);
      if (upload !== undefined) state = await pushOrDrop(upload, { chunk, offeredBytes, onProgress });
    }
    if (state === "sent" || state === "mounted") upload = undefined;
  };
  /** What a request had left on its way when it ended may have got between what came later: then the blob is sent anew. */
  const pushOrDrop = async (open: BlobUpload, pushed: PushedChunk): Promise<DeliveryState> => {
    try {
      return await pushChunk(address, open, pushed);
    } catch (error) {
      if (!isResumed || !isInvalidDigest(error)) throw error;
      await cancel();
      return "behind";
    }
  };
  /** Whether all is there, so that the upload can be finished. */
  const flow = async ({ bytes, end, last }: BlobChunk, open: BlobUpload): Promise<boolean> => {
    try {
      offeredBytes = end.offset;
      stream ??= openBlobStream(open, address.graceSignal);
      await stream.send(bytes);
      address.onReceived(end.offset);
      if (last) await endStream();
      return last;
    } catch (error) {
      stream = undefined;
      state = "behind";
      if (signal.aborted) await fail(error);
      return false;
    }
  };
  return {
    get state() {
      return state;
    },
    get error() {
      return failure;
    },
    mayMount: address.mountFrom !== undefined,
    get receivedBytes() {
      return upload?.receivedBytes ?? 0;
    },
    get leastChunkBytes() {
      return upload === undefined ? 0 : leastChunkBytes(upload);
    },
    cancel,
    open: async (wanted) => {
      const retries = createRetries(signal);
      state = "new";
      while (is("new")) {
        try {
          if (upload !== undefined) await resume(upload);
          if (upload === undefined) await start();
        } catch (error) {
          await retries.after(error).catch(fail);
        }
      }
      form = wanted;
      address.onReceived(upload?.receivedBytes ?? 0);
    },
    send: async (chunk) => {
      digestOf = chunk.digestOf;
      if (form === "stream" && upload !== undefined && !(await flow(chunk, upload))) return;
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
    for (let look = 0, same = 0; look < maxLooks && same < settledLooks; look++) {
      const receivedBytes = await upload.status({ signal: graceSignal });
      same = receivedBytes === known ? same + 1 : 0;
      known = receivedBytes;
      if (same < settledLooks) await delay(settleMs, undefined, { signal });
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
