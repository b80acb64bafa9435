import type { Agent } from "node:http";
import type { Socket } from "node:net";

import type { RegistryRequest, RegistryResponse } from "./registry-transport.ts";

const readBytes = 256 * 1024;
const maxHeadBytes = 64 * 1024;

/**
 * Sends a request whose answer is large. node:http takes new memory for every 64 KiB that it reads, twice, which costs more time than to read
 * them, and lets go of it late: here each part of the body lies in the same memory, and is gone once the next one is asked for. The connection
 * ends with the answer.
 *
 * `undefined` for an answer that is not a plain one with a length: then the request is to be sent in the usual way.
 */
export async function exchangeInBulk(request: RegistryRequest, agent: Agent): Promise<RegistryResponse | undefined> {
  const head = formatHead(request);
  if (head === undefined) return undefined;
  request.signal.throwIfAborted();
  const reader = openReader(request, agent);
  try {
    reader.socket.write(head, "latin1");
    const answer = await readHead(reader);
    const headers = answer && parseHead(answer.head);
    const length = Number(headers?.fields.get("content-length") ?? Number.NaN);
    if (answer !== undefined && headers !== undefined && isPlain(headers) && Number.isSafeInteger(length)) {
      const fields = { get: (name: string) => headers.fields.get(name.toLowerCase()) ?? null };
      const cancel = (): Promise<void> => {
        reader.close();
        return Promise.resolve();
      };
      const body = { [Symbol.asyncIterator]: () => readBody(reader, answer.rest, length), cancel };
      return { status: headers.status, ok: true, headers: fields, body };
    }
  } catch (error) {
    reader.close();
    throw error;
  }
  reader.close();
  return undefined;
}

interface BulkReader {
  readonly socket: Socket;
  /** The next bytes, until the one after them is asked for; `undefined` at the end. */
  readonly next: () => Promise<Uint8Array | undefined>;
  readonly close: () => void;
}

interface ReadState {
  /** Where the next read goes. */
  memory: Uint8Array;
  arrived?: Uint8Array;
  failure?: Error;
  ended?: true;
}

/** Reads as much at a time as there is: into the memory that the request offers, else always into the same. */
function openReader(request: RegistryRequest, agent: Agent): BulkReader {
  const { signal, bulk } = request;
  const scratch: Uint8Array = Buffer.allocUnsafeSlow(readBytes);
  const state: ReadState = { memory: scratch };
  let wake: () => void = () => undefined;
  const callback = (sizeBytes: number): boolean => {
    const { memory } = state;
    state.arrived = memory.subarray(0, sizeBytes);
    // Whoever reads has not seen yet what has arrived: what is offered starts with the place for it.
    const rest = (memory === scratch ? bulk?.() : memory)?.subarray(sizeBytes);
    state.memory = rest === undefined || rest.byteLength === 0 ? scratch : rest;
    wake();
    return false;
  };
  const options = { ...connectOptions(request, agent), onread: { buffer: () => state.memory, callback } };
  const socket = agent.createConnection(options as object) as Socket;
  const end = (): void => {
    state.ended = true;
    wake();
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

/** The head of the answer, and what of the body came with it. `undefined` if it has no end. */
async function readHead({
  next,
}: BulkReader): Promise<{ readonly head: string; readonly rest: Uint8Array } | undefined> {
  let read = Buffer.alloc(0);
  while (read.length <= maxHeadBytes) {
    const part = await next();
    if (part === undefined) throw new Error("the connection ended before an answer");
    read = Buffer.concat([read, part]);
    const end = read.indexOf("\r\n\r\n");
    if (end !== -1) return { head: read.toString("latin1", 0, end), rest: read.subarray(end + 4) };
  }
  return undefined;
}

interface ResponseHead {
  readonly status: number;
  readonly fields: ReadonlyMap<string, string>;
}

function parseHead(head: string): ResponseHead | undefined {
  const [first = "", ...lines] = head.split("\r\n");
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1];
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, name = "", value = ""] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    const known = fields.get(name.toLowerCase());
    if (name === "" || (known !== undefined && name.toLowerCase() === "content-length")) return undefined;
    fields.set(name.toLowerCase(), known === undefined ? value : `${known}, ${value}`);
  }
  return status === undefined ? undefined : { status: Number(status), fields };
}

function isPlain({ status, fields }: ResponseHead): boolean {
  return (status === 200 || status === 206) && !fields.has("transfer-encoding") && !fields.has("content-encoding");
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
