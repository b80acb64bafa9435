/** The fields of a packet that the receiver of files sends. */
export interface ReceivedPacket {
  readonly type: number;
  /** Which entry of the walk a request is about. */
  readonly id: number;
  /** Text of an error. */
  readonly data: Buffer;
}

const empty = Buffer.alloc(0);

/** Reads a `fsutil.types.Packet` without its stat, which only senders fill in. @throws Error when it is not one */
export function readPacket(message: Buffer): ReceivedPacket {
  let type = 0;
  let id = 0;
  let data: Buffer = empty;
  let offset = 0;
  while (offset < message.length) {
    const tag = message[offset++] ?? 0;
    const value = readVarint(message, offset);
    offset = value.offset;
    if (tag === 0x08) type = value.number;
    else if (tag === 0x18) id = value.number;
    else if ((tag & 7) === 2) {
      if (tag === 0x22) data = message.subarray(offset, offset + value.number);
      offset += value.number;
    }
  }
  if (offset !== message.length) throw new Error("The daemon sent a packet that cannot be read.");
  return { type, id, data };
}

function readVarint(message: Buffer, offset: number): { number: number; offset: number } {
  let number = 0;
  for (let factor = 1; ; factor *= 0x80) {
    const byte = message[offset++];
    if (byte === undefined) throw new Error("The daemon sent a packet that ends too early.");
    number += (byte & 0x7f) * factor;
    if (byte < 0x80) return { number, offset };
  }
}
