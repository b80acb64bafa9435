import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { compressed } from "../archive/compressed.ts";
import { contextManifest } from "../manifest/context-manifest.ts";
import { syncArchive } from "./sync-archive.ts";
import { compressionPays } from "./sync-compression.ts";
import { readScript, receiveScript } from "./workspace-scripts.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "slipway-compression-"));
});
afterEach(() => rmSync(root, { recursive: true }));

const text = "export function answer(): number {\n  return 42;\n}\n";

const kibibyte = 1024;
const contents = {
  text: text.repeat(4 * kibibyte),
  random: randomBytes(200 * kibibyte),
  "a little text": text.repeat(10),
  "half of both": Buffer.concat([randomBytes(100 * kibibyte), Buffer.from(text.repeat(2 * kibibyte))]),
  "random behind text": Buffer.concat([Buffer.from(text.repeat(400)), randomBytes(400 * kibibyte)]),
};

async function entriesOf(): Promise<Awaited<ReturnType<typeof contextManifest>>["entries"]> {
  return (await contextManifest(root, { cache: false })).entries;
}

describe("compressing a sync", () => {
  test.each([
    ["text", 1, true],
    ["text", 20, true],
    ["random", 1, false],
    ["random", 20, false],
    ["a little text", 1, false],
    ["a little text", 200, true],
    ["half of both", 1, true],
    ["random behind text", 1, false],
  ] as const)("%s in %i files: %s", async (content, files, pays) => {
    for (let index = 0; index < files; index += 1) writeFileSync(join(root, `file-${index}`), contents[content]);
    expect(compressionPays(root, await entriesOf())).toBe(pays);
  });

  test("pays for many empty files, whose headers are most of what is sent", async () => {
    for (let index = 0; index < 200; index += 1) writeFileSync(join(root, `file-${index}`), "");
    expect(compressionPays(root, await entriesOf())).toBe(true);
  });

  test("leaves it to the upload to tell of a file that has vanished", async () => {
    for (const name of ["gone", "there"]) writeFileSync(join(root, name), contents.text);
    const entries = await entriesOf();
    rmSync(join(root, "gone"));
    expect(compressionPays(root, entries)).toBe(true);
  });
});

test.each(["-xpf", "-xzpf"])("the tar of this machine unpacks what is sent: %s", async (options) => {
  mkdirSync(join(root, "context"));
  writeFileSync(join(root, "context/file"), contents.text);
  const { entries } = await contextManifest(join(root, "context"), { cache: false });
  const plain = syncArchive(
    join(root, "context"),
    entries,
    { removed: [], sent: entries },
    { files: 0, totalBytes: 0 },
  );
  const input = await buffer(options === "-xzpf" ? compressed(plain, "gzip") : plain);
  const workspace = join(root, "workspace");
  mkdirSync(workspace);
  execFileSync("sh", ["-c", receiveScript, workspace, "sync", options], { input });
  expect(readFileSync(join(workspace, "incoming/sync/tree/file"), "utf8")).toBe(contents.text);
});

test("a pod says whether it has gzip", () => {
  const said = (path: string): string =>
    execFileSync("/bin/sh", ["-c", readScript, root, "context", "-"], { env: { PATH: path }, encoding: "utf8" });
  expect(said(process.env["PATH"] ?? "")).toBe("none gzip\n");
  expect(said(root)).toBe("none\n");
});
