import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect, test } from "vitest";

const program = fileURLToPath(new URL("__fixtures__/transfer-memory.ts", import.meta.url));

test("a file of 400 MiB for a daemon that reads slowly needs no memory of its size", { timeout: 60_000 }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=@slipway/source", program]);
  const { receivedBytes, maxRssBytes } = JSON.parse(stdout) as { receivedBytes: string; maxRssBytes: number };
  expect(receivedBytes).toBe(String(400 * 1024 ** 2));
  // Both ends are in that process; without a bound it would hold the whole file.
  expect(maxRssBytes).toBeLessThan(330_000_000);
});

test("importing the package loads neither HTTP/2 nor protobuf", async () => {
  const script = `await import("@slipway/buildkit-client");
    const loaded = process.moduleLoadList.filter((name) => /http2/.test(name));
    console.log(JSON.stringify(loaded));`;
  const args = ["--conditions=@slipway/source", "--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
  });
  expect(stdout.trim()).toBe("[]");
});
