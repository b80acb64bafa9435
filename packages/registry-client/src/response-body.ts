import type { RegistryResponse } from "./registry-transport.ts";

/** A body is larger than its reader accepts. */
export class BodyTooLargeError extends Error {}

/** Reads a body up to a limit, and lets go of the rest. Throws {@link BodyTooLargeError} unless told to `truncate`. */
export async function readBody(
  response: RegistryResponse,
  maxBytes: number,
  overflow: "fail" | "truncate" = "fail",
): Promise<Uint8Array> {
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

/** Drops a body that is of no interest, so that its connection becomes free. */
export async function discardBody(response: RegistryResponse): Promise<void> {
  await response.body?.cancel();
}
