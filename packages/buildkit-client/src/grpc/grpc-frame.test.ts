import { expect, test } from "vitest";

import { encodeFrame, FrameReader } from "./grpc-frame.ts";
import { decodeGrpcMessage, encodeGrpcMessage, statusErrorOf } from "./grpc-status.ts";

const payloads = ["", "a", "hello", "x".repeat(300), "", "end"].map((text) => Buffer.from(text));
const stream = Buffer.concat(payloads.map(encodeFrame));

test.each([1, 2, 3, 4, 5, 6, 7, 64, 1000])("messages come out whole from chunks of %i bytes", (chunkBytes) => {
  const read: string[] = [];
  const reader = new FrameReader((message) => read.push(message.toString()));
  for (let offset = 0; offset < stream.length; offset += chunkBytes)
    reader.push(stream.subarray(offset, offset + chunkBytes));
  expect(read).toEqual(payloads.map(String));
});

test("a compressed message and one of absurd length are refused", () => {
  const push = (hex: string) => new FrameReader(() => undefined).push(Buffer.from(hex, "hex"));
  expect(() => push("0100000001aa")).toThrow(/compressed/);
  expect(() => push("00ffffffffaa")).toThrow(/4294967295 bytes/);
});

test("a message survives its trip through a trailer", () => {
  const message = "50 % of\n\tläyers \u{1f600}";
  expect(encodeGrpcMessage(message)).toMatch(/^[\x20-\x7e]*$/);
  expect(decodeGrpcMessage(encodeGrpcMessage(message))).toBe(message);
  expect(decodeGrpcMessage("not 100% encoded")).toBe("not 100% encoded");
  expect(encodeGrpcMessage("ä".repeat(10_000)).length).toBeLessThan(8192);
});

test("trailers become an error unless they say OK", () => {
  expect(statusErrorOf("/a/B", { "grpc-status": "0" })).toBeUndefined();
  expect(statusErrorOf("/a/B", { "grpc-status": "5", "grpc-message": "no%20job" })).toMatchObject({
    status: 5,
    message: "no job",
  });
  expect(statusErrorOf("/a/B", { "grpc-status": "12" })?.message).toContain("/a/B");
  const details = statusErrorOf("/a/B", { "grpc-status": "2", "grpc-status-details-bin": "AQI" })?.statusDetails;
  expect(details && Buffer.from(details)).toEqual(Buffer.from([1, 2]));
});
