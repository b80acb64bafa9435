import { PassThrough } from "node:stream";

import { expect, test } from "vitest";

import { createFrameWriter, putFrameHeader } from "./frame-writer.ts";

const headers: readonly (readonly [number, string])[] = [
  [1, "828100000000"],
  [125, "82fd00000000"],
  [126, "82fe007e00000000"],
  [65_535, "82feffff00000000"],
  [65_536, "82ff000000000001000000000000"],
  [1_048_577, "82ff000000000010000100000000"],
];

test.each(headers)("the header of a frame of %i bytes is %s", (payloadBytes, hex) => {
  const buffer = Buffer.alloc(14, 0xaa);
  expect(buffer.subarray(putFrameHeader(buffer, 14, payloadBytes)).toString("hex")).toBe(hex);
});

test("many small chunks become one frame, and the channel comes first", () => {
  const connection = new PassThrough();
  let done = false;
  createFrameWriter(connection, 0, () => undefined).write(
    [Buffer.from("ab"), Buffer.alloc(0), Buffer.from("c")],
    () => (done = true),
  );
  expect((connection.read() as Buffer).toString("hex")).toBe("82840000000000616263");
  expect(done).toBe(true);
});

test("has no more than two frames on their way", async () => {
  const connection = new PassThrough({ highWaterMark: 1 });
  let sent = 0;
  let done = false;
  const chunk = Buffer.alloc(5 * 1024 * 1024, 7);
  createFrameWriter(connection, 0, () => (sent += 1)).write([chunk], () => (done = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(sent).toBeLessThan(5);
  expect(done).toBe(false);
  connection.resume();
  await expect.poll(() => done).toBe(true);
  expect(sent).toBe(5);
});
