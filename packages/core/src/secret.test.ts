import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";

import { expect, test } from "vitest";

import { secretSchema } from "./secret.ts";
import type { SecretSource } from "./secret.ts";
import { contextFolder } from "./self-test/stub-driver.ts";

const text = async (source: SecretSource) => new TextDecoder().decode(await secretSchema.parse(source)());

test("reads a secret wherever it is, at the moment it is asked for", async () => {
  const file = join(contextFolder(), "token");
  writeFileSync(file, "from a file");
  process.env["SLIPWAY_TEST_SECRET"] = "from the environment";
  expect(await text({ file })).toBe("from a file");
  expect(await text({ env: "SLIPWAY_TEST_SECRET" })).toBe("from the environment");
  expect(await text({ value: "as it is" })).toBe("as it is");
  expect(await text(async () => new TextEncoder().encode("from a function"))).toBe("from a function");
});

test("a parsed secret prints nothing of its value", () => {
  expect(inspect(secretSchema.parse({ value: "hunter2" }), { showHidden: true, depth: 5 })).not.toContain("hunter2");
});

test("a secret that is missing names where it should be", async () => {
  await expect(text({ env: "SLIPWAY_NO_SUCH" })).rejects.toThrow("environment variable SLIPWAY_NO_SUCH is not set");
  await expect(text({ file: "/no/such/token" })).rejects.toThrow("secret file /no/such/token cannot be read");
});
