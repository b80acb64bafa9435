import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

import type { RegistryRequest } from "../registry-transport.ts";

/** Memory into which the next bytes may be read; see {@link RegistryRequest.bulk}. */
export type BulkMemory = NonNullable<RegistryRequest["bulk"]>;

/** A stream that carries one request after the other, and from which bytes are read when they are asked for. */
export interface Connection {
  readonly stream: Duplex;
  /** Whether it is over, or has something to say that nobody asked for: nothing can be sent on it any more. */
  readonly isUseless: boolean;
  /** How many bytes have come in all. */
  readonly receivedBytes: number;
  /** How many exchanges it has carried. */
  exchanges: number;
  /** The next bytes, until the ones after them are asked for; `undefined` at the end. @throws what has ended the connection */
  next(): Promise<Uint8Array | undefined>;
  /** What was handed out last has been copied: its memory is free. */
  release(): void;
  /** From now on bytes are read into this memory, as long as it has some. */
  readInto(bulk: BulkMemory | undefined): void;
  /** Ends it; whoever waits for bytes gets this error. */
  fail(error?: Error): void;
  /** Waits for nothing: whatever happens now makes the connection useless. */
  watchIdle(onUseless: () => void): void;
  /** Goes on after {@link Connection.watchIdle}. */
  wake(): void;
}

const scratchBytes = 64 * 1024;
/** As much as a record of TLS has at most. */
const recordBytes = 16 * 1024;
/** How long what has arrived may wait for more. */
const gatherMs = 100;
/** How much may wait for its reader, of a stream that brings memory of its own. */
const maxWaitingBytes = 256 * 1024;

/** What node reads into, rather than into new memory for each read (`onread` of `node:net`). */
export interface OnRead {
  readonly buffer: () => Uint8Array;
  readonly callback: (sizeBytes: number) => boolean;
}

/** A connection over a stream that somebody else has opened: it brings each part in memory of its own. */
export function connectionOver(stream: Duplex): Connection {
  const reading = createReading(stream);
  stream.on("data", (part: Uint8Array) => {
    reading.bring(part);
    // What still lies in the stream is lost when that is destroyed.
    if (reading.unreadBytes() >= maxWaitingBytes) stream.pause();
  });
  return reading.connection;
}

/**
 * Opens a socket whose bytes all come into the same memory, or into that of a request in bulk: node takes new memory for every 64 KiB otherwise, which
 * costs more time than to read them, and lets go of it late.
 *
 * @param isSecure - Whether the socket speaks TLS. It goes on with all records of one read, even when the callback has said that it shall pause: each
 * then needs memory of its own.
 */
export function openSocket(isSecure: boolean, open: (onread: OnRead) => Socket): Connection {
  const shared: Uint8Array | undefined = isSecure ? undefined : Buffer.allocUnsafeSlow(scratchBytes);
  let memory = shared ?? Buffer.allocUnsafeSlow(recordBytes);
  let isScratch = true;
  let filledBytes = 0;
  let bulk: BulkMemory | undefined;
  let timer: NodeJS.Timeout | undefined;
  const handOut = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (isSecure && isScratch && bulk === undefined && filledBytes < recordBytes / 2) {
      // The memory is kept: a server may send records of one byte.
      reading.bring(Buffer.from(memory.subarray(0, filledBytes)));
      filledBytes = 0;
      return;
    }
    const arrived = memory.subarray(0, filledBytes);
    // Whoever reads has not seen it yet.
    const rest = memory.subarray(filledBytes);
    const following = isScratch || rest.byteLength === 0 ? bulk?.(reading.unreadBytes() + filledBytes) : rest;
    isScratch = bulk === undefined || following === undefined || following.byteLength === 0;
    if (!isScratch && following !== undefined) memory = following;
    else memory = shared ?? Buffer.allocUnsafeSlow(recordBytes);
    filledBytes = 0;
    reading.bring(arrived);
  };
  // Parts are large where there is memory for them: each that is handed out costs more than to read it.
  const callback = (sizeBytes: number): boolean => {
    filledBytes += sizeBytes;
    const goesOn = !isScratch && filledBytes < memory.byteLength;
    if (goesOn) timer ??= setTimeout(pause, gatherMs);
    else handOut();
    return goesOn;
  };
  const socket = open({ buffer: () => memory.subarray(filledBytes), callback });
  const pause = (): void => {
    socket.pause();
    handOut();
  };
  const reading = createReading(socket, () => {
    if (filledBytes > 0) handOut();
  });
  return Object.assign(reading.connection, {
    readInto: (wanted: BulkMemory | undefined) => {
      bulk = wanted;
      // The memory of an answer is somebody else's once that was read; and where the next bytes go has been said to node already.
      if (wanted === undefined && !isScratch) reading.connection.fail();
    },
  });
}

interface Reading {
  readonly connection: Connection;
  /** Hands bytes to whoever asks for them. */
  bring(part: Uint8Array): void;
  /** How many bytes were brought, the memory of which nobody is done with. */
  unreadBytes(): number;
}

/** @param beforeEnd - Brings what has been read and not handed out yet. */
function createReading(stream: Duplex, beforeEnd: () => void = () => undefined): Reading {
  const arrived: Uint8Array[] = [];
  let receivedBytes = 0;
  let doneBytes = 0;
  /** Of the part that was handed out last. */
  let heldBytes = 0;
  let failure: Error | undefined;
  let isOver = stream.destroyed || stream.readableEnded;
  let wakeReader: (() => void) | undefined;
  let onUseless: (() => void) | undefined;
  const settle = (): void => {
    wakeReader?.();
    wakeReader = undefined;
    onUseless?.();
    onUseless = undefined;
  };
  const end = (): void => {
    if (isOver) return;
    beforeEnd();
    isOver = true;
    settle();
  };
  // For as long as the stream lives: an error that nobody listens to would end the process.
  stream.on("error", (error: Error) => {
    failure ??= error;
    end();
  });
  stream.on("end", end).on("close", end);
  const release = (): void => {
    doneBytes += heldBytes;
    heldBytes = 0;
  };
  const connection: Connection = {
    stream,
    exchanges: 0,
    get isUseless() {
      return isOver || stream.destroyed || arrived.length > 0 || stream.readableLength > 0;
    },
    get receivedBytes() {
      return receivedBytes;
    },
    release,
    next: async () => {
      release();
      if (arrived.length === 0 && !isOver) {
        const { promise, resolve } = Promise.withResolvers<undefined>();
        wakeReader = () => {
          resolve(undefined);
        };
        stream.resume();
        await promise;
      }
      const part = arrived.shift();
      if (part === undefined && failure !== undefined) throw failure;
      heldBytes = part?.byteLength ?? 0;
      return part;
    },
    readInto: () => undefined,
    fail: (error = new Error("the connection was given up")) => {
      failure ??= error;
      stream.destroy();
      // One that was closed before says nothing any more.
      end();
    },
    watchIdle: (told) => {
      onUseless = told;
      refer(stream, "unref");
      stream.resume();
    },
    wake: () => {
      onUseless = undefined;
      refer(stream, "ref");
    },
  };
  return {
    connection,
    bring: (part) => {
      receivedBytes += part.byteLength;
      arrived.push(part);
      settle();
    },
    unreadBytes: () => receivedBytes - doneBytes,
  };
}

/** Nothing that is idle keeps a process alive, as far as that is in our hands. */
function refer(stream: Duplex & { ref?: () => void; unref?: () => void }, change: "ref" | "unref"): void {
  stream[change]?.();
}
