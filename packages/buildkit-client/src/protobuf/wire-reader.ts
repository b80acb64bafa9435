/** How a value is framed; groups, 3 and 4, are long out of use. */
export const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const maxVarintBytes = 10;

/** Reads the wire format of protobuf. Throws where the bytes end too early or are no message. */
export class WireReader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#bytes.length;
  }

  /** The low 32 bits of a number, unsigned. */
  uint32(): number {
    let value = 0;
    for (let index = 0; index < maxVarintBytes; index++) {
      const byte = this.#byte();
      if (index < 5) value |= (byte & 0x7f) << (7 * index);
      if (byte < 0x80) return value >>> 0;
    }
    throw malformed("a number of more than 64 bits");
  }

  int32(): number {
    return this.uint32() | 0;
  }

  int64(): bigint {
    let value = 0n;
    for (let index = 0; index < maxVarintBytes; index++) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw malformed("a number of more than 64 bits");
  }

  string(): string {
    const { start, end } = this.#span();
    return this.#bytes.toString("utf8", start, end);
  }

  /** A view of the message. */
  bytes(): Uint8Array {
    const { start, end } = this.#span();
    return this.#bytes.subarray(start, end);
  }

  /** Passes over a value that nobody wants. */
  skip(type: number): void {
    if (type === wireType.varint) this.int64();
    else if (type === wireType.bytes) this.#span();
    else if (type === wireType.fixed64) this.#advance(8);
    else if (type === wireType.fixed32) this.#advance(4);
    else throw malformed(`the wire type ${type}`);
  }

  #byte(): number {
    const byte = this.#bytes[this.#position++];
    if (byte === undefined) throw malformed("an end within a value");
    return byte;
  }

  #span(): { readonly start: number; readonly end: number } {
    const sizeBytes = this.uint32();
    const start = this.#position;
    this.#advance(sizeBytes);
    return { start, end: this.#position };
  }

  #advance(sizeBytes: number): void {
    this.#position += sizeBytes;
    if (this.#position > this.#bytes.length) throw malformed("an end within a value");
  }
}

function malformed(what: string): Error {
  return new Error(`The daemon sent a malformed message: it has ${what}.`);
}
