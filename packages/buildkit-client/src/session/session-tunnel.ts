import type { ClientHttp2Stream } from "node:http2";
import * as http2 from "node:http2";
import { Duplex } from "node:stream";

import { frameHeaderBytes, FrameReader } from "../grpc/grpc-frame.ts";

// Several small writes travel as one message; grpc-go accepts 16 MiB, old daemons 4 MiB.
const maxMessageBytes = 1024 * 1024;

/**
 * The byte stream inside `Control.Session`: every message is a `BytesMessage` whose only field carries raw bytes of a second
 * HTTP/2 connection.
 */
export class SessionTunnel extends Duplex {
  /** Resolves when the call is over on both sides. */
  readonly ended: Promise<void>;
  readonly #stream: ClientHttp2Stream;

  constructor(stream: ClientHttp2Stream) {
    super({ allowHalfOpen: true, writableHighWaterMark: maxMessageBytes, readableHighWaterMark: maxMessageBytes });
    this.#stream = stream;
    this.ended = new Promise((resolve) => stream.once("close", resolve));
    const frames = new FrameReader((message) => {
      const data = bytesMessageData(message);
      if (data.length > 0 && !this.push(data)) stream.pause();
    });
    stream.on("data", (chunk: Buffer) => {
      try {
        frames.push(chunk);
      } catch {
        this.destroy();
      }
    });
    // Like every transport of node:http2 it is only ever destroyed; see `http2Transport`. The channel knows the reason.
    const end = () => this.destroy();
    stream.on("end", end).on("error", end).on("close", end);
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#send([chunk], chunk.length, callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    let message: Buffer[] = [];
    let messageBytes = 0;
    for (const { chunk } of chunks) {
      if (messageBytes > 0 && messageBytes + chunk.length > maxMessageBytes) {
        this.#send(message, messageBytes);
        message = [];
        messageBytes = 0;
      }
      message.push(chunk);
      messageBytes += chunk.length;
    }
    this.#send(message, messageBytes, callback);
  }

  /** Ends the call politely, unless that would first send what nobody waits for any more. */
  override _destroy(_error: Error | null, callback: (error: Error | null) => void): void {
    const stream = this.#stream;
    if (!stream.destroyed && stream.writableLength > 0) stream.close(http2.constants.NGHTTP2_CANCEL);
    else if (!stream.destroyed) stream.resume().end();
    callback(null);
  }

  #send(chunks: Buffer[], sizeBytes: number, callback?: (error?: Error | null) => void): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed || stream.writableEnded) {
      callback?.();
      return;
    }
    stream.cork();
    stream.write(bytesMessageHeader(sizeBytes));
    chunks.forEach((chunk, index) => stream.write(chunk, index === chunks.length - 1 ? callback : undefined));
    stream.uncork();
  }
}

/** Frame header, tag and length in front of the data of a `BytesMessage`. */
export function bytesMessageHeader(sizeBytes: number): Buffer {
  const length: number[] = [];
  for (let rest = sizeBytes; ; rest >>>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) break;
  }
  const header = Buffer.from([0, 0, 0, 0, 0, 0x0a, ...length]);
  header.writeUInt32BE(header.length - frameHeaderBytes + sizeBytes, 1);
  return header;
}

/** The data of a `BytesMessage`, without a copy. */
export function bytesMessageData(message: Buffer): Buffer {
  if (message.length === 0) return message;
  if (message[0] !== 0x0a) throw new Error("The daemon sent something else than bytes through the session.");
  let offset = 1;
  while ((message[offset] ?? 0) & 0x80) offset += 1;
  return message.subarray(offset + 1);
}
