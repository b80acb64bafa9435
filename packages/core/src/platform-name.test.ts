import { expect, test } from "vitest";

import { normalizePlatform } from "./platform-name.ts";

test.each([
  ["linux/amd64", "linux/amd64"],
  ["linux/amd64/v1", "linux/amd64"],
  ["linux/amd64/v3", "linux/amd64/v3"],
  ["linux/x86_64", "linux/amd64"],
  ["linux/aarch64", "linux/arm64"],
  ["linux/arm64/v8", "linux/arm64"],
  ["Linux/ARM", "linux/arm/v7"],
  ["linux/arm/v6", "linux/arm/v6"],
  ["windows/amd64", "windows/amd64"],
])("%s is the platform %s", (platform, expected) => {
  expect(normalizePlatform(platform)).toBe(expected);
});
