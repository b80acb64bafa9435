import { Socket } from "node:net";
import { Duplex } from "node:stream";

/**
 * A stream that node:http2 survives. Node wraps whatever is not a socket, and that wrapper asserts, outside of any callback, when
 * the stream ends or fails while a frame is still to be written (internal/js_stream_socket.js, `doWrite`). So what http2 gets never ends
 * and never fails: it is destroyed, and only that. Close such a connection by destroying the transport, never the session.
 */
export function http2Transport(stream: Duplex): Duplex {
  return stream instanceof Socket ? stream : new Http2Transport(stream);
}

class Http2Transport extends Duplex {
  readonly #stream: Duplex;

  constructor(stream: Duplex) {
    super({ readableHighWaterMark: stream.readableHighWaterMark, writableHighWaterMark: stream.writableHighWaterMark });
    this.#stream = stream;
    stream.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) stream.pause();
    });
    const end = () => this.destroy();
    stream.on("end", end).on("error", end).on("close", end);
    if (stream.destroyed || stream.readableEnded) end();
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (!this.#stream.writable) callback();
    else this.#stream.write(chunk, () => callback());
  }

  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    if (!this.#stream.writable) {
      callback();
      return;
    }
    this.#stream.cork();
    chunks.forEach(({ chunk }, index) =>
      this.#stream.write(chunk, index === chunks.length - 1 ? () => callback() : undefined),
    );
    this.#stream.uncork();
  }

  override _destroy(_error: Error | null, callback: (error: Error | null) => void): void {
    this.#stream.destroy();
    callback(null);
  }
}
