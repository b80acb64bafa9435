import type { Duplex } from "node:stream";

import { largestFrameBytes } from "./channel-protocol.ts";

/** Sends bytes on one channel, at the pace at which the connection takes them. */
export interface FrameWriter {
  /** Calls back when the next bytes may follow. */
  write(chunks: readonly Uint8Array[], callback: (error?: Error | null) => void): void;
}

/**
 * One frame on its way and one behind it. With more, node:tls would join those that wait into one buffer, which costs a copy of every
 * byte and the memory for it.
 */
const largestInFlight = 2;
/** Above it, buffers are used again: those that are thrown away add up faster than they are collected. */
const pooledBytes = 8 * 1024;
const maskBytes = 4;
const longestHeaderBytes = 10 + maskBytes;

/**
 * The head of an unfragmented binary frame (RFC 6455, section 5.2), its end at `end`. The mask is zero: masking protects proxies that
 * read plain text from scripts in browsers, and costs a pass over every byte.
 *
 * @returns where it begins
 */
export function putFrameHeader(buffer: Buffer, end: number, payloadBytes: number): number {
  const extended = payloadBytes < 126 ? 0 : payloadBytes < 65_536 ? 2 : 8;
  const start = end - maskBytes - extended - 2;
  buffer[start] = 0x82;
  buffer[start + 1] = 0x80 | (extended === 0 ? payloadBytes : extended === 2 ? 126 : 127);
  if (extended === 2) buffer.writeUInt16BE(payloadBytes, start + 2);
  if (extended === 8) buffer.writeBigUInt64BE(BigInt(payloadBytes), start + 2);
  buffer.fill(0, end - maskBytes, end);
  return start;
}

/** Copies chunks one behind the other, across their borders. */
function createChunkReader(chunks: readonly Uint8Array[]): {
  remaining: number;
  fill: (target: Buffer, start: number, end: number) => void;
} {
  let index = 0;
  let offset = 0;
  const reader = {
    remaining: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    fill: (target: Buffer, start: number, end: number): void => {
      for (let at = start; at < end;) {
        const chunk = chunks[index] ?? new Uint8Array();
        const part = chunk.subarray(offset, offset + end - at);
        target.set(part, at);
        at += part.length;
        offset += part.length;
        if (offset < chunk.length) continue;
        index += 1;
        offset = 0;
      }
      reader.remaining -= end - start;
    },
  };
  return reader;
}

/**
 * Makes the writing end of a channel. It writes whole frames to the connection below the WebSocket, each in one piece: the API server takes
 * each fragment for a message, and a frame in two buffers is copied once more by node:tls.
 *
 * @param connection - below a WebSocket without extensions; the WebSocket may write its own frames in between
 * @param onSend - told of each frame that leaves
 */
export function createFrameWriter(connection: Duplex, channel: number, onSend: () => void): FrameWriter {
  const spare: Buffer[] = [];
  let inFlight = 0;
  let resume: (() => void) | undefined;
  const send = (frame: Buffer, isPooled: boolean, buffer: Buffer): void => {
    inFlight += 1;
    onSend();
    connection.write(frame, () => {
      inFlight -= 1;
      if (isPooled) spare.push(buffer);
      const next = resume;
      resume = undefined;
      next?.();
    });
  };
  return {
    write: (chunks, callback) => {
      const reader = createChunkReader(chunks);
      const proceed = (): void => {
        while (inFlight < largestInFlight) {
          if (reader.remaining === 0) {
            callback();
            return;
          }
          const length = Math.min(reader.remaining, largestFrameBytes);
          const isPooled = length > pooledBytes;
          const size = longestHeaderBytes + 1 + (isPooled ? largestFrameBytes : length);
          const buffer = (isPooled ? spare.pop() : undefined) ?? Buffer.allocUnsafeSlow(size);
          const start = putFrameHeader(buffer, longestHeaderBytes, 1 + length);
          const end = longestHeaderBytes + 1 + length;
          buffer[longestHeaderBytes] = channel;
          reader.fill(buffer, longestHeaderBytes + 1, end);
          send(buffer.subarray(start, end), isPooled, buffer);
        }
        resume = proceed;
      };
      if (connection.destroyed || connection.writableEnded) callback(new Error("the connection is closed"));
      else proceed();
    },
  };
}
