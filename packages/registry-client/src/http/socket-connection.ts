import type { OnReadOpts, Socket } from "node:net";

import type { BulkMemory, Connection } from "./connection.ts";
import { createReading } from "./connection.ts";

const scratchBytes = 64 * 1024;
/** As much as a record of TLS has at most. */
const recordBytes = 16 * 1024;
/** How long what has arrived may wait for more. */
const gatherMs = 100;

/**
 * Opens a socket whose bytes all come into the same memory, or into that of a request in bulk: node takes new memory for every 64 KiB otherwise, which
 * costs more time than to read them, and lets go of it late.
 *
 * @param isSecure - Whether the socket speaks TLS. It goes on with all records of one read, even when the callback has said that it shall pause: each
 * then needs memory of its own.
 */
export function openSocket(isSecure: boolean, open: (onread: OnReadOpts) => Socket): Connection {
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
