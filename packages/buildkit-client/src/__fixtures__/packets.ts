import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

import type { DaemonCall, DaemonSession } from "./scripted-daemon.ts";

/** A packet as the receiver of files reads it. */
export interface Packet {
  readonly type: number;
  readonly id: number;
  readonly data: Buffer;
  /** Fields of the stat by number. */
  readonly stat?: ReadonlyMap<number, string | bigint>;
}

/** Reads with a protobuf library what was written by hand. */
export function readWholePacket(message: Uint8Array): Packet {
  const reader = new BinaryReader(message);
  const packet: { type: number; id: number; data: Buffer; stat?: Map<number, string | bigint> } = {
    type: 0,
    id: 0,
    data: Buffer.alloc(0),
  };
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) packet.type = reader.int32();
    else if (field === 2) packet.stat = readStat(reader.bytes());
    else if (field === 3) packet.id = reader.uint32();
    else if (field === 4) packet.data = Buffer.from(reader.bytes());
    else reader.skip(wireType);
  }
  return packet;
}

function readStat(bytes: Uint8Array): Map<number, string | bigint> {
  const reader = new BinaryReader(bytes);
  const stat = new Map<number, string | bigint>();
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    stat.set(field, wireType === WireType.LengthDelimited ? reader.string() : BigInt(reader.int64()));
  }
  return stat;
}

/** The paths that were shown, and the content of those that were asked for. */
export interface ReceivedFiles {
  readonly paths: string[];
  readonly content: Map<string, Buffer>;
}

const diffCopy = "/moby.filesync.v1.FileSync/DiffCopy";

/** Receives a directory as the daemon does: asks for files while they are shown, ends with FIN. */
export async function receiveFiles(
  session: DaemonSession,
  name: string,
  metadata: Record<string, string | string[]> = {},
  wanted: (path: string) => boolean = () => true,
): Promise<ReceivedFiles> {
  const call = session.open(diffCopy, { "dir-name": name, ...metadata });
  const received: ReceivedFiles = { paths: [], content: new Map() };
  const open = new Map<number, Buffer[]>();
  for (let walking = true; walking || open.size > 0;) {
    const message = await call.next();
    if (!message) break;
    const packet = readWholePacket(message);
    if (packet.type === 3) break;
    if (packet.type === 4) throw new Error(packet.data.toString());
    if (packet.type === 2) receiveData(packet, received, open);
    else if (packet.stat) show(call, packet.stat, received, open, wanted);
    else walking = false;
  }
  call.send(Uint8Array.of(0x08, 3));
  call.stream.end();
  await call.finished();
  return received;
}

function show(
  call: DaemonCall,
  stat: ReadonlyMap<number, string | bigint>,
  received: ReceivedFiles,
  open: Map<number, Buffer[]>,
  wanted: (path: string) => boolean,
): void {
  const path = String(stat.get(1));
  const id = received.paths.push(path) - 1;
  const regular = (BigInt(stat.get(2) ?? 0) & 0x8f280000n) === 0n && !stat.has(7);
  if (!regular || !wanted(path)) return;
  open.set(id, []);
  call.send(requestPacket(id));
}

function receiveData(packet: Packet, received: ReceivedFiles, open: Map<number, Buffer[]>): void {
  const pieces = open.get(packet.id);
  if (!pieces) throw new Error(`Data for ${packet.id}, which was not asked for`);
  if (packet.data.length > 0) pieces.push(packet.data);
  else {
    received.content.set(received.paths[packet.id] ?? "", Buffer.concat(pieces));
    open.delete(packet.id);
  }
}

/** Asks for an entry of the walk. */
export function requestPacket(id: number): Uint8Array {
  const bytes = [0x08, 1, 0x18];
  for (let rest = id; ; rest >>>= 7) {
    bytes.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) return Uint8Array.from(bytes);
  }
}
