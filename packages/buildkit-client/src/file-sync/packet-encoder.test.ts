import { describe, expect, test } from "vitest";

import { readWholePacket } from "../__fixtures__/packets.ts";
import { FrameReader } from "../grpc/grpc-frame.ts";
import { fileType, goFileMode } from "./go-file-mode.ts";
import type { PacketStat } from "./packet-encoder.ts";
import {
  dataFrameHeaderBytes,
  endOfWalkFrame,
  errorFrame,
  finFrame,
  maxStatFrameBytes,
  writeDataFrameHeader,
  writeStatFrame,
} from "./packet-encoder.ts";
import { readPacket } from "./packet-reader.ts";

const plain: PacketStat = { path: "a", mode: 0o644, sizeBytes: 3, mtimeNs: 1n, linkname: "", devMajor: 0, devMinor: 0 };

function encoded(stat: PacketStat): Buffer {
  const frame = Buffer.alloc(maxStatFrameBytes(stat));
  return frame.subarray(0, writeStatFrame(frame, 0, stat));
}

function messageOf(frame: Uint8Array): Buffer {
  let message: Buffer | undefined;
  new FrameReader((found) => (message = found)).push(Buffer.from(frame));
  if (!message) throw new Error("not one whole frame");
  return message;
}

describe("a stat packet", () => {
  test("has the bytes that Go writes", () => {
    expect(encoded(plain).toString("hex")).toBe("000000000c" + "120a" + "0a0161" + "10a403" + "2803" + "3001");
  });

  test.each<[string, Partial<PacketStat>]>([
    ["a directory", { mode: goFileMode(fileType.directory | 0o755), sizeBytes: 0 }],
    ["a time before 1970", { mtimeNs: -1n }],
    ["the time 0", { mtimeNs: 0n }],
    ["a time of today", { mtimeNs: 1_795_260_622_123_456_789n }],
    ["the latest time", { mtimeNs: 2n ** 63n - 1n }],
    ["a size beyond 32 bits", { sizeBytes: 2 ** 40 + 5 }],
    ["a long path", { path: "p/".repeat(2000) }],
    ["a path beyond ASCII", { path: "ä/\u{1f600}/\uff21" }],
    ["a link", { linkname: "../ziel-ü" }],
    ["a device", { devMajor: 1, devMinor: 2 ** 19 }],
  ])("is read back by a protobuf library: %s", (_what, changes) => {
    const stat = { ...plain, ...changes };
    const { stat: read = new Map<number, string | bigint>() } = readWholePacket(messageOf(encoded(stat)));
    expect(read.get(1)).toBe(stat.path);
    expect([2, 5, 6, 8, 9].map((field) => read.get(field) ?? 0n)).toEqual(
      [stat.mode, stat.sizeBytes, stat.mtimeNs, stat.devMajor, stat.devMinor].map(BigInt),
    );
    expect(read.get(7) ?? "").toBe(stat.linkname);
  });
});

test.each([
  [0, 0, "0000000002" + "0802"],
  [5, 0, "0000000004" + "08021805"],
  [300, 3, "000000000a" + "0802" + "18ac02" + "2203"],
])("a data packet for file %i with %i bytes has the bytes that Go writes", (id, bytes, hex) => {
  const header = Buffer.alloc(dataFrameHeaderBytes(id, bytes));
  expect(writeDataFrameHeader(header, 0, id, bytes)).toBe(header.length);
  expect(header.toString("hex")).toBe(hex);
});

test("the packets without fields have the bytes that Go writes", () => {
  expect(Buffer.from(endOfWalkFrame).toString("hex")).toBe("0000000000");
  expect(Buffer.from(finFrame).toString("hex")).toBe("00000000020803");
  expect(readPacket(messageOf(errorFrame("no such fileä")))).toMatchObject({
    type: 4,
    data: Buffer.from("no such fileä"),
  });
});

test.each([
  ["0801", { type: 1, id: 0 }],
  ["08011805", { type: 1, id: 5 }],
  ["080118ffffffff0f", { type: 1, id: 2 ** 32 - 1 }],
  ["0803", { type: 3, id: 0 }],
  ["", { type: 0, id: 0 }],
])("the packet %s of the daemon is understood", (hex, packet) => {
  expect(readPacket(Buffer.from(hex, "hex"))).toMatchObject(packet);
});

test.each(["08", "0801ff", "2205aa"])("the bytes %s are refused", (hex) => {
  expect(() => readPacket(Buffer.from(hex, "hex"))).toThrow(/packet/);
});

test.each([
  ["a directory", fileType.directory | 0o755, 0x800001ed],
  ["a symbolic link", fileType.symlink | 0o777, 0x080001ff],
  ["a setuid file", fileType.regular | 0o4755, 0x008001ed],
  ["a setgid file", fileType.regular | 0o2755, 0x004001ed],
  ["a sticky directory", fileType.directory | 0o1777, 0x801001ff],
  ["a character device", fileType.characterDevice | 0o666, 0x042001b6],
  ["a block device", fileType.blockDevice | 0o660, 0x040001b0],
  ["a named pipe", fileType.namedPipe | 0o644, 0x020001a4],
])("%s has Go's mode bits", (_what, mode, expected) => {
  expect(goFileMode(mode)).toBe(expected);
});
