import type { Writable } from "node:stream";

// Larger batches stall: the daemon's windows start at 64 KiB and grow only while its acknowledgements are read.
const batchBytes = 64 * 1024;
const maxUnacknowledgedBytes = 1024 * 1024;

/**
 * Gathers small writes in buffers that are used again once the stream has let go of them. What is on its way is bounded by what was
 * acknowledged: the stream's own limit of 16 KiB would call every batch too much.
 */
export class BatchWriter {
  /** Where to write next: `buffer` from `offset` on, after `reserve`. */
  buffer: Buffer = Buffer.allocUnsafeSlow(batchBytes);
  offset = 0;
  /** All bytes handed to the stream. */
  writtenBytes = 0;
  readonly #stream: Writable;
  readonly #free: Buffer[] = [];
  #unacknowledgedBytes = 0;
  #failed = false;
  #wake: (() => void) | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on("close", () => {
      this.#failed = true;
      this.#wake?.();
    });
  }

  /** Room in the batch; a batch begins when the one before is too full for that. @throws Error when more than a batch is asked for */
  reserve(bytes: number): void {
    if (bytes > batchBytes) throw new Error(`A packet of ${bytes} bytes is too long.`);
    if (batchBytes - this.offset < bytes) this.flush();
  }

  /** Room that is left in the batch. */
  get freeBytes(): number {
    return batchBytes - this.offset;
  }

  /** Appends bytes as they are. */
  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.offset);
    this.offset += bytes.length;
  }

  /** Hands the batch to the stream. */
  flush(): void {
    if (this.offset === 0 || this.#failed) return;
    const { buffer, offset } = this;
    this.buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(batchBytes);
    this.offset = 0;
    this.#write(buffer.subarray(0, offset), () => this.#free.push(buffer));
  }

  /** Hands bytes to the stream as they are, behind the batch. They must not change until they are sent. */
  write(bytes: Uint8Array): void {
    this.flush();
    if (!this.#failed) this.#write(bytes, () => undefined);
  }

  #write(bytes: Uint8Array, onSent: () => void): void {
    this.writtenBytes += bytes.length;
    this.#unacknowledgedBytes += bytes.length;
    this.#stream.write(bytes, (error) => {
      this.#unacknowledgedBytes -= bytes.length;
      if (error) this.#failed = true;
      else onSent();
      this.#wake?.();
    });
  }

  /** Resolves when more may be written. @throws Error when the stream is gone */
  async ready(): Promise<void> {
    while (!this.#failed && this.#unacknowledgedBytes > maxUnacknowledgedBytes) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    this.#wake = undefined;
    if (this.#failed) throw new Error("The transfer was given up by the daemon.");
  }
}
