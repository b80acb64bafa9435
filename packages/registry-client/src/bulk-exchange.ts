import type { Agent } from "node:http";

import { bulkBody } from "./bulk-body.ts";
import type { ResponseHead } from "./bulk-head.ts";
import { readHead } from "./bulk-head.ts";
import type { BulkReader } from "./bulk-reader.ts";
import { openReader } from "./bulk-reader.ts";
import type { RegistryRequest, RegistryResponse } from "./registry-transport.ts";

/**
 * Sends a request whose answer is large. node:http takes new memory for every 64 KiB that it reads, twice, which costs more time than to read
 * them, and lets go of it late: here each part of the body lies in the same memory, and is gone once the next one is asked for. The connection
 * ends with the answer.
 *
 * `undefined` for a request that cannot be sent this way: then it is to be sent in the usual one. Any answer counts as it is, since to ask again
 * is what a busy registry needs least.
 */
export async function exchangeInBulk(request: RegistryRequest, agent: Agent): Promise<RegistryResponse | undefined> {
  const head = formatHead(request);
  if (head === undefined) return undefined;
  request.signal.throwIfAborted();
  const reader = openReader(request, agent);
  try {
    reader.socket.write(head, "latin1");
    return toResponse(reader, await readHead(reader), request);
  } catch (error) {
    reader.close();
    throw error;
  }
}

function toResponse(
  reader: BulkReader,
  { status, fields, rest }: ResponseHead,
  request: RegistryRequest,
): RegistryResponse {
  const headers = { get: (name: string) => fields.get(name.toLowerCase()) ?? null };
  const ok = status >= 200 && status < 300;
  if (request.method === "HEAD" || statusesWithoutBody.has(status)) {
    reader.close();
    return { status, ok, headers, body: null };
  }
  const chunks = bulkBody(reader, { status, fields, rest }, request.signal);
  const cancel = (): Promise<void> => {
    reader.close();
    return Promise.resolve();
  };
  return { status, ok, headers, body: { [Symbol.asyncIterator]: () => chunks, cancel } };
}

const statusesWithoutBody = new Set([204, 205, 304]);

/** `undefined` for a header that must not stand in a request. */
function formatHead({ method, url, headers }: RegistryRequest): string | undefined {
  const lines = Object.entries({ host: url.host, ...headers, connection: "close" });
  if (lines.some(([name, value]) => /[^\w-]/.test(name) || /[^\t\x20-\x7e]/.test(value))) return undefined;
  return [`${method} ${url.pathname}${url.search} HTTP/1.1`, ...lines.map((line) => line.join(": ")), "", ""].join(
    "\r\n",
  );
}
