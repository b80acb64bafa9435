import { frameHeaderBytes } from "../grpc/grpc-frame.ts";

/**
 * `fsutil.types.Packet`, written by hand straight into a send buffer: 20,000 entries take milliseconds, a general protobuf library
 * takes most of the time of a build without changes. Encoded exactly as minimal protobuf, each packet with its gRPC frame header.
 */
export interface PacketStat {
  readonly path: string;
  /** In Go's form. */
  readonly mode: number;
  readonly sizeBytes: number;
  readonly mtimeNs: bigint;
  /** Target of a symbolic link, or the path that a hard link is another name of. */
  readonly linkname: string;
  readonly devMajor: number;
  readonly devMinor: number;
}

/** What a packet is for. */
export const packetType = { stat: 0, request: 1, data: 2, fin: 3, error: 4 } as const;

const nanoseconds = new BigInt64Array(1);
const words = new Uint32Array(nanoseconds.buffer);
const lowWord = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;

/** At least the size of the frame that {@link writeStatFrame} writes. */
export function maxStatFrameBytes({ path, linkname }: PacketStat): number {
  return 80 + 3 * (path.length + linkname.length);
}

/** Writes one entry of the walk. Returns the offset behind it. */
export function writeStatFrame(target: Buffer, offset: number, stat: PacketStat): number {
  const lengthAt = offset + frameHeaderBytes + 1;
  let end = writeText(target, lengthAt + 1, 0x0a, stat.path);
  end = writeNumber(target, end, 0x10, stat.mode);
  end = writeNumber(target, end, 0x28, stat.sizeBytes);
  end = writeNanoseconds(target, end, stat.mtimeNs);
  end = writeText(target, end, 0x3a, stat.linkname);
  end = writeNumber(target, end, 0x40, stat.devMajor);
  end = writeNumber(target, end, 0x48, stat.devMinor);
  end = putLength(target, lengthAt, end);
  target[offset + frameHeaderBytes] = 0x12;
  writeFrameHeader(target, offset, end - offset - frameHeaderBytes);
  return end;
}

/**
 * Fills in the length of what begins behind `lengthAt`, where one byte is kept free for it, and ends at `end`: to measure first would take
 * longer than to move the few that are longer. Returns the new end.
 */
function putLength(target: Buffer, lengthAt: number, end: number): number {
  const bytes = end - lengthAt - 1;
  const moved = varintBytes(bytes) - 1;
  if (moved > 0) target.copyWithin(lengthAt + 1 + moved, lengthAt + 1, end);
  writeVarint(target, lengthAt, bytes);
  return end + moved;
}

/** Size of the frame around {@link dataBytes} of content. */
export function dataFrameHeaderBytes(id: number, dataBytes: number): number {
  return frameHeaderBytes + 2 + numberBytes(id) + (dataBytes === 0 ? 0 : 1 + varintBytes(dataBytes));
}

/** Writes what stands before content of a file; without content it marks the file's end. */
export function writeDataFrameHeader(target: Buffer, offset: number, id: number, dataBytes: number): number {
  offset = writeFrameHeader(target, offset, dataFrameHeaderBytes(id, dataBytes) - frameHeaderBytes + dataBytes);
  target[offset++] = 0x08;
  target[offset++] = packetType.data;
  offset = writeNumber(target, offset, 0x18, id);
  if (dataBytes === 0) return offset;
  target[offset++] = 0x22;
  return writeVarint(target, offset, dataBytes);
}

/** The packet that ends the walk. */
export const endOfWalkFrame: Uint8Array = Uint8Array.of(0, 0, 0, 0, 0);

/** The packet that ends the transfer. */
export const finFrame: Uint8Array = Uint8Array.of(0, 0, 0, 0, 2, 0x08, packetType.fin);

/** The packet that says why the transfer cannot go on. */
export function errorFrame(message: string): Buffer {
  const data = Buffer.from(message).subarray(0, 2048);
  const packetBytes = 3 + varintBytes(data.length) + data.length;
  const frame = Buffer.alloc(frameHeaderBytes + packetBytes);
  let offset = writeFrameHeader(frame, 0, packetBytes);
  frame[offset++] = 0x08;
  frame[offset++] = packetType.error;
  frame[offset++] = 0x22;
  frame.set(data, writeVarint(frame, offset, data.length));
  return frame;
}

function numberBytes(value: number): number {
  return value === 0 ? 0 : 1 + varintBytes(value);
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

function writeFrameHeader(target: Buffer, offset: number, messageBytes: number): number {
  target[offset] = 0;
  target[offset + 1] = messageBytes >>> 24;
  target[offset + 2] = messageBytes >>> 16;
  target[offset + 3] = messageBytes >>> 8;
  target[offset + 4] = messageBytes;
  return offset + frameHeaderBytes;
}

function writeText(target: Buffer, offset: number, tag: number, text: string): number {
  if (text === "") return offset;
  target[offset] = tag;
  return putLength(target, offset + 1, offset + 2 + target.write(text, offset + 2, "utf8"));
}

function writeNumber(target: Buffer, offset: number, tag: number, value: number): number {
  if (value === 0) return offset;
  target[offset++] = tag;
  return writeVarint(target, offset, value);
}

function writeVarint(target: Buffer, offset: number, value: number): number {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) target[offset++] = (rest % 0x80) + 0x80;
  target[offset++] = rest;
  return offset;
}

/** Two 32-bit halves are an order of magnitude faster here than arithmetic on bigint. */
function writeNanoseconds(target: Buffer, offset: number, value: bigint): number {
  if (value === 0n) return offset;
  target[offset++] = 0x30;
  nanoseconds[0] = value;
  let low = words[lowWord] ?? 0;
  let high = words[1 - lowWord] ?? 0;
  while (high !== 0 || low >= 0x80) {
    target[offset++] = (low & 0x7f) | 0x80;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  target[offset++] = low;
  return offset;
}
