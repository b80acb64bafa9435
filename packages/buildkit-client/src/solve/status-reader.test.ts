import { expect, test } from "vitest";

import * as messages from "../messages.ts";
import { StatusReader } from "./status-reader.ts";

type Fields = Parameters<typeof messages.encode<typeof messages.StatusResponse>>[1];

function read(reader: StatusReader, fields: Fields) {
  return reader.read(messages.decode(messages.StatusResponse, messages.encode(messages.StatusResponse, fields)));
}

test("times are of this machine's clock", () => {
  const reader = new StatusReader();
  reader.readClock("2026-01-01T00:00:10.5Z", Date.parse("2026-01-01T00:00:00.5Z"));
  const started = { seconds: BigInt(Date.parse("2026-01-01T00:00:12Z") / 1000), nanos: 250_000_000 };
  const { vertices } = read(reader, { vertexes: [{ digest: "sha256:a", name: "RUN", started }] });
  expect(vertices[0]?.startedMs).toBe(Date.parse("2026-01-01T00:00:02.25Z"));
  expect(vertices[0]).not.toHaveProperty("completedMs");
});

test("characters that are split between messages come out whole, per step and stream", () => {
  const reader = new StatusReader();
  const bytes = Buffer.from("grün");
  const log = (vertex: string, stream: bigint, msg: Uint8Array) =>
    read(reader, { logs: [{ vertex, stream, msg }] })
      .logs.map(({ text }) => text)
      .join("");
  expect(log("a", 1n, bytes.subarray(0, 3))).toBe("gr");
  expect(log("b", 1n, Buffer.from("x"))).toBe("x");
  expect(log("a", 2n, Buffer.from("y"))).toBe("y");
  expect(log("a", 1n, bytes.subarray(3))).toBe("ün");
});

test("progress and warnings are plain data", () => {
  const update = read(new StatusReader(), {
    statuses: [
      {
        id: "sha256:l",
        vertex: "v",
        name: "extracting",
        current: 5n,
        total: 10n,
        timestamp: { seconds: 1n, nanos: 0 },
      },
    ],
    warnings: [
      {
        vertex: "v",
        level: 1n,
        short: Buffer.from("short"),
        detail: [Buffer.from("more")],
        url: "https://a.test",
        info: { filename: "Dockerfile" },
        ranges: [{ start: { line: 3 } }],
      },
    ],
  });
  expect(update.progress).toEqual([
    { vertex: "v", id: "sha256:l", name: "extracting", current: 5, total: 10, timeMs: 1000 },
  ]);
  expect(update.warnings).toEqual([
    { vertex: "v", message: "short", detail: ["more"], url: "https://a.test", file: "Dockerfile", line: 3 },
  ]);
  expect(JSON.parse(JSON.stringify(update))).toEqual(update);
});
