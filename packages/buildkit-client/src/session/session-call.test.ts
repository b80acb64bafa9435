import { expect, test } from "vitest";

import { SessionMetadata } from "./session-call.ts";
import { bytesMessageData, bytesMessageHeader } from "./session-tunnel.ts";

test("repeated keys stay apart, also where a value has a comma", () => {
  const metadata = new SessionMetadata(["exclude-patterns", "a,b", "dir-name", "context", "exclude-patterns", "c, d"]);
  expect(metadata.list("exclude-patterns")).toEqual(["a,b", "c, d"]);
  expect(metadata.first("dir-name")).toBe("context");
  expect(metadata.list("followpaths")).toEqual([]);
});

test("values are unescaped where the daemon says that it escaped them", () => {
  const metadata = new SessionMetadata(["followpaths", "a+b%2Bc%C3%A4", "followpaths-encoded", "1", "dir-name", "a+b"]);
  expect(metadata.list("followpaths")).toEqual(["a b+cä"]);
  expect(metadata.first("dir-name")).toBe("a+b");
});

test.each([0, 1, 127, 128, 16_384, 3_000_000])("a tunnel message of %i bytes is read back", (bytes) => {
  const data = Buffer.alloc(bytes, 7);
  const message = Buffer.concat([bytesMessageHeader(bytes), data]);
  expect(message.readUInt32BE(1)).toBe(message.length - 5);
  expect(bytesMessageData(message.subarray(5)).equals(data)).toBe(true);
});
