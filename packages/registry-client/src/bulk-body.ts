import type { ResponseHead } from "./bulk-head.ts";
import type { BulkReader } from "./bulk-reader.ts";

const maxLineBytes = 1024;
const malformedChunk = "the answer has a malformed chunk";

/** The body of an answer, part by part: each is gone once the next one is asked for. @throws `Error` for framing that cannot be trusted */
export function bulkBody(reader: BulkReader, { status, fields, rest }: ResponseHead, signal: AbortSignal) {
  const coding = fields.get("transfer-encoding")?.toLowerCase();
  const length = fields.get("content-length");
  if (coding !== undefined && length !== undefined) throw new Error("the answer has a length, and is in chunks");
  if (coding === "chunked") return readChunked(reader, rest);
  if (coding !== undefined) throw new Error(`the answer is in a transfer coding that is unknown here: ${coding}`);
  if (length === undefined) return readToEnd(reader, rest, signal);
  if (!/^\d{1,15}$/.test(length)) throw new Error("the length of the answer is no number");
  const body = readBody(reader, rest, Number(length));
  // What is wrong is read as a whole.
  return status === 200 || status === 206 ? body : copied(body);
}

async function* copied(
  parts: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const part of parts) yield Buffer.from(part);
}

/** Parts of their own memory: what lies between the chunks is in the way. */
async function* readChunked(reader: BulkReader, first: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  let rest = first;
  const readMore = async (): Promise<void> => {
    const part = await reader.next();
    if (part === undefined) throw new Error("the connection ended within a body in chunks");
    rest = Buffer.concat([rest, part]);
  };
  const readLine = async (): Promise<string> => {
    for (;;) {
      const end = rest.indexOf("\r\n");
      if (end > maxLineBytes || (end === -1 && rest.length > maxLineBytes)) throw new Error(malformedChunk);
      if (end === -1) {
        await readMore();
        continue;
      }
      const line = rest.toString("latin1", 0, end);
      rest = rest.subarray(end + 2);
      return line;
    }
  };
  try {
    for (;;) {
      const size = /^([\da-f]{1,12})[ \t]*(?:;.*)?$/i.exec(await readLine())?.[1];
      if (size === undefined) throw new Error(malformedChunk);
      let leftBytes = Number.parseInt(size, 16);
      // What may follow the last one is of no interest.
      if (leftBytes === 0) return;
      while (leftBytes > 0) {
        if (rest.length === 0) await readMore();
        const wanted = rest.subarray(0, leftBytes);
        rest = rest.subarray(wanted.length);
        leftBytes -= wanted.length;
        yield wanted;
      }
      if ((await readLine()) !== "") throw new Error(malformedChunk);
    }
  } finally {
    reader.close();
  }
}

async function* readToEnd(
  reader: BulkReader,
  first: Uint8Array,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    if (first.byteLength > 0) yield first;
    for (let part = await reader.next(); part !== undefined; part = await reader.next()) yield Buffer.from(part);
    signal.throwIfAborted();
  } finally {
    reader.close();
  }
}

async function* readBody(
  reader: BulkReader,
  first: Uint8Array,
  length: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    let part: Uint8Array | undefined = first;
    for (let leftBytes = length; leftBytes > 0; part = await reader.next()) {
      if (part === undefined) throw new Error(`the connection ended ${leftBytes} bytes early`);
      const wanted: Uint8Array = part.subarray(0, leftBytes);
      leftBytes -= wanted.byteLength;
      if (wanted.byteLength > 0) yield wanted;
      if (leftBytes === 0) return;
    }
  } finally {
    reader.close();
  }
}
