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
  /** The next bytes, until the ones after them are asked for; `undefined` at the end. @throws what has ended the connection */
  next(): Promise<Uint8Array | undefined>;
  /** What was handed out last has been copied, but for as many bytes at its end: that memory is free. */
  release(keptBytes?: number): void;
  /** From now on bytes are read into this memory, as long as it has some. */
  readInto(bulk: BulkMemory | undefined): void;
  /** Ends it; whoever waits for bytes gets this error. */
  fail(error?: Error): void;
  /** Waits for nothing: whatever happens now makes the connection useless. */
  watchIdle(onUseless: () => void): void;
  /** Goes on after {@link Connection.watchIdle}. */
  wake(): void;
}

/** How much may wait for its reader, of a stream that brings memory of its own. */
const maxWaitingBytes = 256 * 1024;

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

/** A connection, and what brings bytes to it. */
export interface Reading {
  readonly connection: Connection;
  /** Hands bytes to whoever asks for them. */
  bring(part: Uint8Array): void;
  /** How many bytes were brought, the memory of which nobody is done with. */
  unreadBytes(): number;
}

/**
 * Makes a connection of a stream whose bytes somebody else brings.
 *
 * @param beforeEnd - Brings what has been read and not handed out yet.
 */
export function createReading(stream: Duplex, beforeEnd: () => void = () => undefined): Reading {
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
  const release = (keptBytes = 0): void => {
    doneBytes += heldBytes - keptBytes;
    heldBytes = keptBytes;
  };
  const connection: Connection = {
    stream,
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
