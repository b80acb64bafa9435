import type { Agent } from "node:http";
import type { Socket } from "node:net";

import type { RegistryRequest, RegistryResponse } from "./registry-transport.ts";

const readBytes = 256 * 1024;
/** How long what has arrived may wait for more. */
const gatherMs = 100;
const maxHeadBytes = 64 * 1024;

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
  const chunks = bodyOf(reader, { status, fields, rest }, request.signal);
  const cancel = (): Promise<void> => {
    reader.close();
    return Promise.resolve();
  };
  return { status, ok, headers, body: { [Symbol.asyncIterator]: () => chunks, cancel } };
}

const statusesWithoutBody = new Set([204, 205, 304]);

interface BulkReader {
  readonly socket: Socket;
  /** The next bytes, until the one after them is asked for; `undefined` at the end. */
  readonly next: () => Promise<Uint8Array | undefined>;
  readonly close: () => void;
}

interface ReadState {
  /** Where reads go, from its start on. */
  memory: Uint8Array;
  /** How much of it holds what nobody has asked for yet. */
  filledBytes: number;
  /** What is handed out next. */
  arrived?: Uint8Array;
  failure?: Error;
  ended?: true;
}

/**
 * Reads into the memory that the request offers until that is full, else always into the same: every part that is handed out costs more than to
 * read it. What comes slowly is handed out as it is.
 */
function openReader(request: RegistryRequest, agent: Agent): BulkReader {
  const { signal, bulk } = request;
  const scratch: Uint8Array = Buffer.allocUnsafeSlow(readBytes);
  const state: ReadState = { memory: scratch, filledBytes: 0 };
  let wake: () => void = () => undefined;
  let timer: NodeJS.Timeout | undefined;
  const handOut = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const { memory, filledBytes } = state;
    state.arrived = memory.subarray(0, filledBytes);
    // Whoever reads has not seen it yet.
    const rest = memory.subarray(filledBytes);
    const next = memory === scratch || rest.byteLength === 0 ? bulk?.(filledBytes) : rest;
    state.memory = next === undefined || next.byteLength === 0 ? scratch : next;
    state.filledBytes = 0;
    wake();
  };
  const callback = (sizeBytes: number): boolean => {
    state.filledBytes += sizeBytes;
    const goesOn = state.memory !== scratch && state.filledBytes < state.memory.byteLength;
    if (goesOn) timer ??= setTimeout(pause, gatherMs);
    else handOut();
    return goesOn;
  };
  const buffer = (): Uint8Array => state.memory.subarray(state.filledBytes);
  const options = { ...connectOptions(request, agent), onread: { buffer, callback } };
  const socket = agent.createConnection(options as object) as Socket;
  const pause = (): void => {
    socket.pause();
    handOut();
  };
  const end = (): void => {
    state.ended = true;
    if (state.filledBytes > 0) handOut();
    else wake();
  };
  const leave = (): void => {
    socket.destroy();
  };
  signal.addEventListener("abort", leave, { once: true });
  socket.on("end", end).on("error", (error) => (state.failure = error));
  socket.on("close", () => {
    signal.removeEventListener("abort", leave);
    end();
  });
  const wait = async (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    wake = () => {
      resolve(undefined);
    };
    socket.resume();
    await promise;
  };
  return {
    socket,
    close: leave,
    next: async () => {
      delete state.arrived;
      if (state.ended !== true) await wait();
      return takeArrived(state);
    },
  };
}

function takeArrived({ arrived, failure }: ReadState): Uint8Array | undefined {
  if (arrived === undefined && failure !== undefined) throw failure;
  return arrived;
}

function connectOptions({ url }: RegistryRequest, agent: Agent): object {
  const isSecure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return {
    ...(agent as Agent & { readonly options?: object }).options,
    host,
    port: url.port === "" ? (isSecure ? 443 : 80) : Number(url.port),
    ...(isSecure && !/^[\d.]+$|:/.test(host) ? { servername: host } : {}),
  };
}

/** `undefined` for a header that must not stand in a request. */
function formatHead({ method, url, headers }: RegistryRequest): string | undefined {
  const lines = Object.entries({ host: url.host, ...headers, connection: "close" });
  if (lines.some(([name, value]) => /[^\w-]/.test(name) || /[^\t\x20-\x7e]/.test(value))) return undefined;
  return [`${method} ${url.pathname}${url.search} HTTP/1.1`, ...lines.map((line) => line.join(": ")), "", ""].join(
    "\r\n",
  );
}

interface ResponseHead {
  readonly status: number;
  readonly fields: ReadonlyMap<string, string>;
  /** What of the body came with it. */
  readonly rest: Buffer;
}

/** The head of the answer, after those that only announce it (`103`). */
async function readHead({ next }: BulkReader): Promise<ResponseHead> {
  let read = Buffer.alloc(0);
  for (;;) {
    const end = read.indexOf("\r\n\r\n");
    if (end !== -1) {
      const head = parseHead(read.toString("latin1", 0, end));
      read = read.subarray(end + 4);
      if (head.status >= 200) return { ...head, rest: read };
      continue;
    }
    if (read.length > maxHeadBytes) throw new Error(`the answer has more than ${maxHeadBytes} bytes of headers`);
    const part = await next();
    if (part === undefined) throw new Error("the connection ended before an answer");
    read = Buffer.concat([read, part]);
  }
}

function parseHead(head: string): Omit<ResponseHead, "rest"> {
  const [first = "", ...lines] = head.split("\r\n");
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1];
  if (status === undefined) throw new Error("the answer is not HTTP");
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, name = "", value = ""] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    const known = fields.get(name.toLowerCase());
    if (name === "") throw new Error("the answer has a malformed header");
    if (known !== undefined && name.toLowerCase() === "content-length")
      throw new Error("the answer has several lengths");
    fields.set(name.toLowerCase(), known === undefined ? value : `${known}, ${value}`);
  }
  return { status: Number(status), fields };
}

function bodyOf(reader: BulkReader, { status, fields, rest }: ResponseHead, signal: AbortSignal) {
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

const maxLineBytes = 1024;
const malformedChunk = "the answer has a malformed chunk";

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
