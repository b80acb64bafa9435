import { expect, it } from "vitest";

import { formatBytes } from "./format-bytes.ts";
import { formatDuration } from "./format-duration.ts";

it.each([
  [0, "0 B"],
  [-1, "0 B"],
  [Number.NaN, "0 B"],
  [999, "999 B"],
  [999.9, "1.0 kB"],
  [1000, "1.0 kB"],
  [1234, "1.2 kB"],
  [999_949, "999.9 kB"],
  [999_950, "1.0 MB"],
  [6_000_248, "6.0 MB"],
  [2.5e12, "2.5 TB"],
  [5e18, "5000.0 PB"],
])("formats %d bytes as %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

it.each([
  [0, "0.0s"],
  [-5, "0.0s"],
  [Number.NaN, "0.0s"],
  [49, "0.0s"],
  [1234, "1.2s"],
  [59_940, "59.9s"],
  [59_960, "1m 00s"],
  [65_400, "1m 05s"],
  [3_599_600, "1h 00m"],
  [7_380_000, "2h 03m"],
])("formats %d ms as %s", (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text);
});
