/** Bytes in front of every gRPC message: one flag byte and a big-endian length. */
export const frameHeaderBytes = 5;

const maxMessageBytes = 64 * 1024 * 1024;

/** A gRPC message with its frame header, ready to write. */
export function encodeFrame(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(frameHeaderBytes + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, frameHeaderBytes);
  return frame;
}

/** Cuts a byte stream into gRPC messages. A message that lies within one chunk is handed over without a copy. */
export class FrameReader {
  readonly #onMessage: (message: Buffer) => void;
  #chunks: Buffer[] = [];
  #bufferedBytes = 0;
  #neededBytes = frameHeaderBytes;

  constructor(onMessage: (message: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  /** @throws Error when the stream is not gRPC, or compressed, which nobody asked for */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.length;
    if (this.#bufferedBytes >= this.#neededBytes) this.#drain();
  }

  #drain(): void {
    const buffer = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    let offset = 0;
    let neededBytes = frameHeaderBytes;
    while (buffer.length - offset >= frameHeaderBytes) {
      neededBytes = frameHeaderBytes + messageLength(buffer, offset);
      if (buffer.length - offset < neededBytes) break;
      this.#onMessage(buffer.subarray(offset + frameHeaderBytes, offset + neededBytes));
      offset += neededBytes;
      neededBytes = frameHeaderBytes;
    }
    this.#chunks = offset === buffer.length ? [] : [buffer.subarray(offset)];
    this.#bufferedBytes = buffer.length - offset;
    this.#neededBytes = neededBytes;
  }
}

function messageLength(buffer: Buffer, offset: number): number {
  if (buffer[offset] !== 0) throw new Error("The peer sent a compressed gRPC message, which was not offered.");
  const length = buffer.readUInt32BE(offset + 1);
  if (length > maxMessageBytes) throw new Error(`The peer announced a gRPC message of ${length} bytes.`);
  return length;
}
