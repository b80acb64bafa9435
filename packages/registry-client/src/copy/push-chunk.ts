import { BuilderError } from "@slipway/core/errors";

import type { BlobUpload } from "../blob-upload.ts";
import type { RegistryClient } from "../registry-client.ts";
import { abortError } from "../registry-requests.ts";
import type { BlobChunk } from "./blob-chunks.ts";
import type { BlobAddress, DeliveryState } from "./blob-delivery.ts";

/** What is sent, and what may be there already. */
export interface PushedChunk {
  readonly chunk: BlobChunk;
  /** How much of the blob the registry may have at most. */
  readonly offeredBytes: number;
  readonly onProgress: () => void;
}

/** Nobody's memory is given away because a registry asks for it. */
const maxDemandedBytes = 64 * 1024 * 1024;

/** The least that a chunk must have which is not the last: what the registry demands, within reason. */
export function leastChunkBytes({ minChunkBytes }: Pick<BlobUpload, "minChunkBytes">): number {
  return Math.min(minChunkBytes, maxDemandedBytes);
}

/**
 * Sends what a registry lacks of a chunk, and with the last one makes all of it a blob. `behind` when it lacks more than that, or so little that
 * it would not take it by itself.
 */
export async function pushChunk(
  address: BlobAddress,
  upload: BlobUpload,
  { chunk, offeredBytes, onProgress }: PushedChunk,
): Promise<DeliveryState> {
  const { blob, signal, onReceived, graceSignal } = address;
  const { offset, bytes, last, end } = chunk;
  for (;;) {
    if (signal.aborted) throw abortError(signal);
    const { receivedBytes } = upload;
    if (receivedBytes > offeredBytes) throw implausible(address, receivedBytes, offeredBytes);
    if (receivedBytes < offset) return "behind";
    const rest = bytes.subarray(receivedBytes - offset);
    if (last) {
      await upload.finish(blob.digest, { chunk: rest, signal: graceSignal });
      onReceived(end.offset);
      return "sent";
    }
    // The registry had it when this pass began.
    if (rest.byteLength === 0) return "open";
    if (rest.byteLength < leastChunkBytes(upload)) return "behind";
    await upload.write(rest, { signal: graceSignal });
    if (upload.receivedBytes <= receivedBytes) throw stuck(address);
    onProgress();
    onReceived(upload.receivedBytes);
  }
}

/** Whether a registry has found other bytes than those of the digest. */
export function isInvalidDigest(error: unknown): boolean {
  if (!BuilderError.isInstance(error) || error.code !== "REGISTRY_REFUSED") return false;
  return error.details.diagnostics.some((line) => line.startsWith("DIGEST_INVALID"));
}

/** The error for a registry that has more than it can have. */
export function implausible(
  { client, repository }: BlobAddress,
  receivedBytes: number,
  offeredBytes: number,
): BuilderError {
  const problem = `it says that it has ${receivedBytes} bytes of an upload of which it was sent ${offeredBytes}`;
  return refused(client, `${client.registry} cannot take an upload to ${repository}: ${problem}.`);
}

function stuck({ client, repository }: BlobAddress): BuilderError {
  return refused(
    client,
    `${client.registry} takes a chunk for ${repository} and says that it has no more than before.`,
  );
}

function refused({ registry }: RegistryClient, problem: string): BuilderError {
  const details = { registry, diagnostics: [], triedCredentials: [] };
  return new BuilderError({ code: "REGISTRY_REFUSED", message: `${problem} Look at the registry's log.`, details });
}
