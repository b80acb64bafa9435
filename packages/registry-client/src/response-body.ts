import type { RegistryResponse } from "./registry-transport.ts";

/** A body is larger than its reader accepts. */
export class BodyTooLargeError extends Error {}

/** A registry takes too long, whether it answers at all or sends a body drop by drop. */
export class TooSlowError extends Error {}

/** The least that a body must bring in the time in which an answer must begin. */
const minimumBytes = 16 * 1024;

/** Reads a body up to a limit, and lets go of the rest. Throws {@link BodyTooLargeError} unless told to `truncate`. */
export async function readBody(
  response: RegistryResponse,
  maxBytes: number,
  overflow: "fail" | "truncate" = "fail",
): Promise<Uint8Array> {
  const announced = Number(response.headers.get("content-length") ?? 0);
  if (overflow === "fail" && announced > maxBytes) {
    await discardBody(response);
    throw new BodyTooLargeError(`${announced} bytes, where ${maxBytes} are the most`);
  }
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    sizeBytes += chunk.byteLength;
    if (sizeBytes <= maxBytes) continue;
    if (overflow === "fail") throw new BodyTooLargeError(`more than ${maxBytes} bytes`);
    break;
  }
  return Buffer.concat(chunks).subarray(0, maxBytes);
}

/** Drops a body that is of no interest, so that its connection becomes free: a short one by reading it, which keeps the connection. */
export async function discardBody(response: RegistryResponse): Promise<void> {
  const announced = Number(response.headers.get("content-length") ?? Number.POSITIVE_INFINITY);
  try {
    if (announced <= minimumBytes) await readBody(response, minimumBytes, "truncate");
    else await response.body?.cancel();
  } catch {
    // What happens to a body that nobody wants is of no interest either.
  }
}

/** An answer whose body has been read already. */
export function withBody({ status, ok, headers }: RegistryResponse, bytes: Uint8Array): RegistryResponse {
  const body = {
    async *[Symbol.asyncIterator]() {
      yield bytes;
    },
    cancel: () => Promise.resolve(),
  };
  return { status, ok, headers, body };
}

/** What goes wrong while a body is read, as the error that the reader shall see. */
export type BodyErrorOf = (error: unknown) => Error;

/**
 * The same answer with a body that keeps moving: it fails if it brings less than 16 KiB in `limitMs` of waiting for it. The time that its reader
 * takes does not count.
 */
export function watchedBody(response: RegistryResponse, limitMs: number, errorOf: BodyErrorOf): RegistryResponse {
  const { body, status, ok, headers } = response;
  if (body === null) return response;
  const watched = {
    cancel: () => body.cancel(),
    [Symbol.asyncIterator]: () => readWatched(body, limitMs, errorOf),
  };
  return { status, ok, headers, body: watched };
}

async function* readWatched(
  body: NonNullable<RegistryResponse["body"]>,
  limitMs: number,
  errorOf: BodyErrorOf,
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = body[Symbol.asyncIterator]();
  let leftMs = limitMs;
  let receivedBytes = 0;
  let ended = false;
  const expiry: { error?: TooSlowError } = {};
  const expire = (): void => {
    expiry.error = new TooSlowError(`${receivedBytes} bytes of the answer in ${limitMs / 1000} s`);
    void body.cancel().catch(() => undefined);
  };
  try {
    for (;;) {
      const startedMs = performance.now();
      const timer = setTimeout(expire, leftMs);
      const next = await iterator.next().finally(() => clearTimeout(timer));
      if (expiry.error) throw expiry.error;
      if (next.done === true) break;
      receivedBytes += next.value.byteLength;
      leftMs = Math.max(1, leftMs - (performance.now() - startedMs));
      if (receivedBytes >= minimumBytes) [leftMs, receivedBytes] = [limitMs, 0];
      yield next.value;
    }
    ended = true;
  } catch (error) {
    ended = true;
    throw errorOf(expiry.error ?? error);
  } finally {
    if (!ended) await iterator.return?.();
  }
}
