import { createHash } from "node:crypto";

import { BuilderError } from "@slipway/core/errors";

import { abortError } from "./registry-requests.ts";
import type { RegistryResponse } from "./registry-transport.ts";

/** A blob on its way from a registry. */
export interface BlobReader {
  /** Size of the whole blob, also when it is read from an offset on. */
  readonly sizeBytes: number;
  /**
   * The bytes, once. Their number is checked, and from offset 0 on their digest as well: the last chunk comes only after that.
   * Throws `DIGEST_MISMATCH`, or `REGISTRY_UNAVAILABLE` when the connection ends early.
   */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** What is read, and what it must be. */
export interface ExpectedBlob {
  readonly registry: string;
  /** `registry.example.com/app@sha256:…` */
  readonly name: string;
  readonly digest: string;
  readonly offset: number;
  /** Where the answer does not say it. */
  readonly sizeBytes?: number | undefined;
  /** Whether the digest is checked here. Who starts at an offset has to do it. */
  readonly verify: boolean;
  readonly signal: AbortSignal;
}

/** Reads the answer to a request for a blob, `200` or `206`. */
export function readBlobResponse(response: RegistryResponse, expected: ExpectedBlob): BlobReader {
  const partial = response.status === 206;
  const range = partial ? parseContentRange(response.headers.get("content-range")) : undefined;
  const skippedBytes = expected.offset - (range?.first ?? 0);
  const length = Number(response.headers.get("content-length") ?? Number.NaN);
  const sizeBytes = range?.sizeBytes ?? expected.sizeBytes ?? length + (partial ? expected.offset : 0);
  if (partial && (range === undefined || skippedBytes !== 0)) throw badRange(expected, response);
  return { sizeBytes, chunks: cancelable(response, checkedChunks(response, expected, sizeBytes, skippedBytes)) };
}

/** A generator that has not begun lets go of nothing when it is left. */
function cancelable(response: RegistryResponse, chunks: AsyncGenerator<Uint8Array>): AsyncIterable<Uint8Array> {
  const iterator: AsyncIterator<Uint8Array> = {
    next: () => chunks.next(),
    return: async () => {
      await response.body?.cancel();
      return await chunks.return(undefined);
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

interface ContentRange {
  readonly first: number;
  readonly sizeBytes: number;
}

function parseContentRange(header: string | null): ContentRange | undefined {
  const match = /^bytes (\d+)-\d+\/(\d+)$/.exec(header ?? "");
  return match === null ? undefined : { first: Number(match[1]), sizeBytes: Number(match[2]) };
}

/** @param skippedBytes - How many bytes come first that were not asked for, from a registry that knows no ranges. */
async function* checkedChunks(
  response: RegistryResponse,
  expected: ExpectedBlob,
  sizeBytes: number,
  skippedBytes: number,
): AsyncGenerator<Uint8Array> {
  const [algorithm = ""] = expected.digest.split(":");
  const hash = expected.verify && expected.offset === 0 ? createHash(algorithm) : undefined;
  const check = (): void => {
    if (hash !== undefined) checkDigest(expected, `${algorithm}:${hash.copy().digest("hex")}`);
  };
  let position = expected.offset - skippedBytes;
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      const wanted = chunk.subarray(Math.max(0, Math.min(chunk.byteLength, expected.offset - position)));
      position += chunk.byteLength;
      if (position > sizeBytes) throw tooLong(expected, sizeBytes);
      hash?.update(wanted);
      if (position === sizeBytes) check();
      if (wanted.byteLength > 0) yield wanted;
    }
  } catch (error) {
    if (expected.signal.aborted) throw abortError(expected.signal);
    throw BuilderError.isInstance(error) ? error : endedEarly(expected, error);
  }
  if (position < sizeBytes) throw endedEarly(expected, new Error(`${position} of ${sizeBytes} bytes arrived`));
  // Of an empty blob nothing has arrived; a registry that does not say how long a blob is lets nobody know what the last chunk is.
  if (position === 0 || Number.isNaN(sizeBytes)) check();
}

function checkDigest({ name, digest }: ExpectedBlob, actual: string): void {
  if (actual !== digest) throw blobMismatch(name, digest, actual);
}

/** The error for bytes that are not those of the blob that was asked for. */
export function blobMismatch(name: string, expected: string, actual: string): BuilderError {
  return new BuilderError({
    code: "DIGEST_MISMATCH",
    message: `The registry serves ${actual} as ${name}. Something in between changes blobs, or the registry's storage is damaged: push the image again.`,
    details: { expected, actual },
  });
}

function endedEarly({ registry, name }: ExpectedBlob, cause: unknown): BuilderError {
  return new BuilderError({
    code: "REGISTRY_UNAVAILABLE",
    message: `The connection to ${registry} ended within ${name}. Try again.`,
    details: { registry, diagnostics: [], triedCredentials: [] },
    cause,
  });
}

function tooLong({ registry, name }: ExpectedBlob, sizeBytes: number): BuilderError {
  return refused(
    registry,
    `${registry} sends more than the ${sizeBytes} bytes of ${name}. It is no blob that a registry should serve.`,
  );
}

function badRange({ registry, name, offset }: ExpectedBlob, response: RegistryResponse): BuilderError {
  const range = response.headers.get("content-range") ?? "nothing";
  return refused(registry, `${registry} was asked for ${name} from byte ${offset} on, and answers with ${range}.`);
}

function refused(registry: string, message: string): BuilderError {
  const details = { registry, diagnostics: [], triedCredentials: [] };
  return new BuilderError({ code: "REGISTRY_REFUSED", message, details });
}
