import type { WebSocket } from "ws";

import { largestFrameBytes } from "./channel-protocol.ts";

/** Sends bytes on one channel, at the pace at which the socket takes them. */
export interface FrameWriter {
  /** Calls back when the next bytes may follow. */
  write(chunks: readonly Uint8Array[], callback: (error?: Error | null) => void): void;
  readonly sentBytes: number;
}

/** Enough to keep TLS and the network busy, little enough to stay small. */
const largestInFlight = 3;
/** Above it, buffers are used again: those that are thrown away add up faster than they are collected. */
const pooledBytes = 8 * 1024;

/** A frame must not be fragmented: the API server takes each fragment for a message. So bytes are copied behind their channel byte. */
function* frames(channel: number, chunks: readonly Uint8Array[], spare: Buffer[]): Generator<Buffer> {
  let remaining = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  let index = 0;
  let offset = 0;
  while (remaining > 0) {
    const length = Math.min(remaining, largestFrameBytes);
    const isPooled = length > pooledBytes;
    const buffer = isPooled
      ? (spare.pop() ?? Buffer.allocUnsafeSlow(1 + largestFrameBytes))
      : Buffer.allocUnsafe(1 + length);
    buffer[0] = channel;
    let filled = 0;
    while (filled < length) {
      const chunk = chunks[index] ?? new Uint8Array();
      const part = chunk.subarray(offset, offset + length - filled);
      buffer.set(part, 1 + filled);
      filled += part.length;
      offset += part.length;
      if (offset >= chunk.length) {
        index += 1;
        offset = 0;
      }
    }
    remaining -= length;
    yield buffer.subarray(0, 1 + length);
  }
}

/**
 * Makes the writing end of a channel.
 *
 * @param onSend - told of each frame that leaves
 */
export function createFrameWriter(socket: WebSocket, channel: number, onSend: () => void): FrameWriter {
  const spare: Buffer[] = [];
  let inFlight = 0;
  let sentBytes = 0;
  let waiting: ((error?: Error | null) => void) | undefined;
  const onSent = (frame: Buffer, error: Error | null | undefined): void => {
    inFlight -= 1;
    if (frame.buffer.byteLength > largestFrameBytes && spare.length < largestInFlight)
      spare.push(Buffer.from(frame.buffer));
    if (!waiting || (!error && inFlight >= largestInFlight)) return;
    const callback = waiting;
    waiting = undefined;
    callback(error);
  };
  return {
    write: (chunks, callback) => {
      for (const frame of frames(channel, chunks, spare)) {
        inFlight += 1;
        sentBytes += frame.length - 1;
        onSend();
        socket.send(frame, { binary: true }, (error) => onSent(frame, error));
      }
      if (inFlight < largestInFlight) callback();
      else waiting = callback;
    },
    get sentBytes() {
      return sentBytes;
    },
  };
}
