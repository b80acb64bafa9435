import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";

import { BuilderError } from "@slipway/core";
import { afterEach, beforeEach, expect, test } from "vitest";

import { scanContext } from "../scan-context.ts";
import { fileChanges } from "./__fixtures__/file-changes.ts";
import { readLargeFile, readSmallFile } from "./content-file.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "slipway-content-"));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const sizeBytes = 1000;
const readers = {
  readSmallFile: (entry) => {
    const target = Buffer.alloc(sizeBytes + 1);
    readSmallFile(root, entry, target, 0);
    return Promise.resolve(target.subarray(0, sizeBytes));
  },
  readLargeFile: (entry) => buffer(readLargeFile(root, entry, 300)),
} satisfies Record<string, (entry: Parameters<typeof readSmallFile>[1]) => Promise<Buffer>>;
const names = Object.keys(readers) as (keyof typeof readers)[];

function writeAndScan(): Parameters<typeof readSmallFile>[1] {
  writeFileSync(join(root, "file"), "x".repeat(sizeBytes));
  const [entry] = scanContext(root);
  if (entry === undefined) throw new Error("nothing was found");
  return entry;
}

test.each(names)("%s reads a file", async (name) => {
  expect((await readers[name](writeAndScan())).toString()).toBe("x".repeat(sizeBytes));
});

test.each(names.flatMap((name) => fileChanges.map(([what, change]) => [name, what, change] as const)))(
  "%s refuses a file that %s behind the scan",
  async (name, _what, change) => {
    const entry = writeAndScan();
    change(join(root, "file"));
    const error: unknown = await Promise.resolve()
      .then(() => readers[name](entry))
      .catch((thrown: unknown) => thrown);
    expect(BuilderError.isInstance(error) && error.code).toBe("CONTEXT_INVALID");
    expect(error).toMatchObject({
      details: { path: "file" },
      message: expect.stringContaining("changed while it was read") as string,
    });
  },
);
