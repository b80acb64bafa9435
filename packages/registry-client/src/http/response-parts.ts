import type { Connection } from "./connection.ts";
import type { ResponseHead } from "./response-head.ts";

const maxLineBytes = 1024;
const maxTrailerLines = 64;
const malformedChunk = "the answer has a malformed chunk";

/** Told once, when the body is over: whether the connection stands where the next answer would begin. */
export type BodyEnd = (isClean: boolean) => void;

/** How a body is read. */
export interface ReadPartsOptions {
  /** Whether parts stay what they are; else each may be gone once the next one is asked for, which spares a copy. */
  readonly keepsParts: boolean;
  readonly ended: BodyEnd;
}

type NextPart = () => Promise<Uint8Array | undefined>;
type Parts = AsyncGenerator<Uint8Array, void, undefined>;

/** The body of an answer, part by part. @throws `Error` for framing that cannot be trusted */
export function readParts(
  connection: Connection,
  { fields, rest }: ResponseHead,
  { keepsParts, ended }: ReadPartsOptions,
): Parts {
  const copyNext: NextPart = async () => {
    const part = await connection.next();
    return part && Buffer.from(part);
  };
  const next: NextPart = keepsParts ? copyNext : () => connection.next();
  const coding = fields.get("transfer-encoding")?.toLowerCase();
  const length = fields.get("content-length");
  if (coding !== undefined && length !== undefined) throw new Error("the answer has a length, and is in chunks");
  if (coding === "chunked") return readChunked(connection, rest, ended);
  if (coding !== undefined) throw new Error(`the answer is in a transfer coding that is unknown here: ${coding}`);
  if (length === undefined) return readToEnd(next, rest, ended);
  if (!/^\d{1,15}$/.test(length)) throw new Error("the length of the answer is no number");
  const sizeBytes = Number(length);
  if (rest.length < sizeBytes) return readLength(next, rest, sizeBytes, ended);
  // All of it came with the head: nobody has to read it for the connection to be free.
  ended(rest.length === sizeBytes);
  return onePart(rest.subarray(0, sizeBytes));
}

async function* onePart(part: Uint8Array): Parts {
  if (part.byteLength > 0) yield part;
}

/** Parts of their own memory: what lies between the chunks is in the way. */
async function* readChunked(connection: Connection, first: Buffer, ended: BodyEnd): Parts {
  let rest = first;
  let isClean = false;
  const readMore = async (): Promise<void> => {
    const part = await connection.next();
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
      if (leftBytes === 0) break;
      while (leftBytes > 0) {
        if (rest.length === 0) await readMore();
        const wanted = rest.subarray(0, leftBytes);
        rest = rest.subarray(wanted.length);
        leftBytes -= wanted.length;
        yield wanted;
      }
      if ((await readLine()) !== "") throw new Error(malformedChunk);
    }
    // What may follow the last one is of no interest.
    for (let lines = 0; (await readLine()) !== ""; lines++)
      if (lines >= maxTrailerLines) throw new Error(malformedChunk);
    isClean = rest.length === 0;
  } finally {
    ended(isClean);
  }
}

async function* readToEnd(next: NextPart, first: Uint8Array, ended: BodyEnd): Parts {
  try {
    if (first.byteLength > 0) yield first;
    for (let part = await next(); part !== undefined; part = await next()) yield part;
  } finally {
    ended(false);
  }
}

async function* readLength(next: NextPart, first: Uint8Array, sizeBytes: number, ended: BodyEnd): Parts {
  let leftBytes = sizeBytes - first.byteLength;
  let isClean = false;
  try {
    if (first.byteLength > 0) yield first;
    while (leftBytes > 0) {
      const part = await next();
      if (part === undefined) throw new Error(`the connection ended ${leftBytes} bytes early`);
      const wanted = part.subarray(0, leftBytes);
      leftBytes -= wanted.byteLength;
      isClean = leftBytes === 0 && wanted.byteLength === part.byteLength;
      // With the last part nothing is left to read, whether anybody asks for more or not.
      yield wanted;
    }
  } finally {
    ended(isClean);
  }
}
