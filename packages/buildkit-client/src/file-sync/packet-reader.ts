import { frameHeaderBytes } from "../grpc/grpc-frame.ts";
import type { PacketStat } from "./packet-encoder.ts";

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

/** Reads a stat that this process encoded: the frame begins at `offset` of `bytes`. */
export function readStatFrame(bytes: Uint8Array, offset: number): Omit<PacketStat, "devMajor" | "devMinor"> {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  // Behind the frame's header stand the tag of the packet's stat and its length.
  const body = readVarint(frame, offset + frameHeaderBytes + 1);
  const end = body.offset + body.number;
  const stat = { path: "", mode: 0, sizeBytes: 0, mtimeNs: 0n, linkname: "" };
  for (let position = body.offset; position < end;) {
    const tag = frame[position++] ?? 0;
    const start = position;
    const value = readVarint(frame, position);
    position = value.offset;
    if (tag === 0x0a) stat.path = frame.toString("utf8", position, (position += value.number));
    else if (tag === 0x3a) stat.linkname = frame.toString("utf8", position, (position += value.number));
    else if (tag === 0x10) stat.mode = value.number;
    else if (tag === 0x28) stat.sizeBytes = value.number;
    else if (tag === 0x30) stat.mtimeNs = readNanoseconds(frame.subarray(start, position));
  }
  return stat;
}

/** Nanoseconds since 1970 need all of 64 bits, which a number does not have. */
function readNanoseconds(bytes: Uint8Array): bigint {
  return BigInt.asIntN(
    64,
    bytes.reduceRight((sum, byte) => (sum << 7n) | BigInt(byte & 0x7f), 0n),
  );
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
