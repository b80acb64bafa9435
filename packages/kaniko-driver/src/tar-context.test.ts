import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { Readable } from "node:stream";
import { gunzipSync } from "node:zlib";

import { packContext } from "@slipway/context-sync";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { readTarFile, tarArchive } from "./tar-context.ts";

const longName = `${"long-".repeat(30)}Dockerfile`;
let root = "";
let tar = Buffer.alloc(0);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "slipway-test-"));
  await writeFile(join(root, "Dockerfile"), "FROM scratch\n");
  await writeFile(join(root, longName), "FROM long\n");
  tar = await packed("none");
});
afterAll(() => rm(root, { recursive: true, force: true }));

const packed = (compression: "none" | "gzip") => buffer(Readable.from(packContext(root, { compression })));
const { signal } = new AbortController();
/** In pieces that end nowhere in particular. */
const inPieces = (bytes: Buffer) =>
  async function* () {
    for (let start = 0; start < bytes.length; start += 700) {
      await Promise.resolve();
      yield bytes.subarray(start, start + 700);
    }
  };

describe("a tar as context", () => {
  it.each(["Dockerfile", "./Dockerfile"])("gives the Dockerfile %s", async (path) => {
    expect(await readTarFile(inPieces(tar), path)).toBe("FROM scratch\n");
    expect(await readTarFile(inPieces(await packed("gzip")), path)).toBe("FROM scratch\n");
  });

  it("gives a file whose name is longer than a header", async () => {
    expect(await readTarFile(inPieces(tar), longName)).toBe("FROM long\n");
  });

  it("says which file it lacks", async () => {
    await expect(readTarFile(inPieces(tar), "no/Dockerfile")).rejects.toMatchObject({
      code: "CONTEXT_INVALID",
      details: { path: "no/Dockerfile" },
    });
  });

  it.each(["none", "gzip"] as const)("is sent as gzip with more than the mark of its end, from %s", async (kind) => {
    const archive = tarArchive(inPieces(await packed(kind)), signal);
    const sent = await buffer(Readable.from(archive));
    const plain = gunzipSync(sent);
    expect(plain.subarray(0, tar.length)).toEqual(tar);
    expect(plain.length - tar.length).toBeGreaterThan(512);
    expect(await archive.summary).toEqual({ files: 2, totalBytes: 23, sentBytes: sent.length, sha256: "" });
  });

  it.each<[string, () => Buffer, RegExp]>([
    ["ends early", () => tar.subarray(0, 1024), /a part may be missing/],
    ["ends within a file", () => tar.subarray(0, 600), /a part may be missing/],
    ["is none", () => Buffer.alloc(2048, "x"), /no tar that can be read/],
    ["is empty", () => Buffer.alloc(0), /a part may be missing/],
  ])("is refused if it %s", async (_what, bytes, message) => {
    const sent = buffer(Readable.from(tarArchive(inPieces(bytes()), signal)));
    await expect(sent).rejects.toMatchObject({
      code: "CONTEXT_INVALID",
      message: expect.stringMatching(message) as string,
    });
  });
});
