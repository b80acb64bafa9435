import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gunzipSync, zstdDecompressSync } from "node:zlib";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createTree, type TreeEntry } from "../reference/reference-tree.ts";
import { trees } from "../reference/trees.ts";
import { scanContext } from "../scan-context.ts";
import { fileChanges } from "./__fixtures__/file-changes.ts";
import { smallFileBytes } from "./content-file.ts";
import { packContext, type PackOptions } from "./pack-context.ts";
import { tarChunks } from "./tar-chunks.ts";

let folder: string;
let root: string;
let copy: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-pack-"));
  root = join(folder, "root");
  copy = join(folder, "copy");
  mkdirSync(root);
  mkdirSync(copy);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function pack(options?: PackOptions): Promise<Buffer> {
  return buffer(packContext(root, options));
}

function tar(archive: Buffer, ...argv: string[]): string {
  return execFileSync("tar", argv, { input: archive, encoding: "utf8" });
}

/** What GNU tar makes of an archive, in the notation of {@link treeOf}. */
function extracted(archive: Buffer): string[] {
  tar(archive, "-xpf", "-", "-C", copy);
  return treeOf(copy);
}

/** Type, mode, time, content, target and names of one inode, of each entry. */
function treeOf(directory: string): string[] {
  const inodes = new Map<bigint, string>();
  return Array.from(scanContext(directory), ({ path, mode, mtimeNs, devMajor, devMinor }) => {
    const absolute = join(directory, path);
    const stats = lstatSync(absolute, { bigint: true });
    const first = inodes.get(stats.ino) ?? path;
    inodes.set(stats.ino, first);
    const content = stats.isSymbolicLink()
      ? readlinkSync(absolute)
      : stats.isFile()
        ? createHash("sha256").update(readFileSync(absolute)).digest("hex")
        : "";
    const seconds = BigInt.asIntN(64, mtimeNs) / 1_000_000_000n - (mtimeNs % 1_000_000_000n < 0n ? 1n : 0n);
    // A copy of a symbolic link is made at its own time, unless tar can set it.
    const links = stats.isFile() ? first : path;
    return `${path} ${mode.toString(8)} ${seconds} ${content} ${links} ${devMajor}:${devMinor}`;
  });
}

const long = "long-".repeat(40);
const hard: Readonly<Record<string, readonly TreeEntry[]>> = {
  ...trees,
  names: [
    { path: "é" },
    { path: "日本語/" },
    { path: "日本語/ファイル", sizeBytes: 7 },
    { path: "\u{1f600}", link: "日本語/ファイル" },
    { path: "new\nline", sizeBytes: 1 },
    { path: "a".repeat(100), sizeBytes: 1 },
    { path: "b".repeat(101), sizeBytes: 1 },
    { path: "c".repeat(255), sizeBytes: 1 },
    { path: `${"d".repeat(99)}/` },
    { path: `${"e".repeat(100)}/` },
    { path: `${"e".repeat(100)}/x`, sizeBytes: 3 },
    { path: `${"f".repeat(155)}/` },
    { path: `${"f".repeat(155)}/${"g".repeat(100)}`, sizeBytes: 4 },
    { path: `${"h".repeat(156)}/` },
    { path: `${"h".repeat(156)}/x`, sizeBytes: 5 },
    { path: `${long}/` },
    { path: `${long}/${long}/` },
    { path: `${long}/${long}/${long}`, sizeBytes: 6 },
    { path: "i", link: `${long}/${long}/${long}` },
    { path: "j", hardlink: `${long}/${long}/${long}` },
    { path: "-dash", sizeBytes: 1 },
    { path: " space ", sizeBytes: 1 },
  ],
  sizes: [0, 1, 511, 512, 513, smallFileBytes - 1, smallFileBytes, smallFileBytes + 1, 1 << 20, (1 << 20) + 1].map(
    (sizeBytes) => ({ path: `size-${sizeBytes}`, sizeBytes }),
  ),
};

describe("packContext", () => {
  test.each(Object.keys(hard))("packs what GNU tar extracts as the same tree: %s", async (name) => {
    createTree(root, hard[name] ?? []);
    expect(extracted(await pack())).toEqual(treeOf(root));
  });

  test.each(Object.keys(hard))("packs in the format of GNU as well: %s", async (name) => {
    createTree(root, hard[name] ?? []);
    const counts = { files: 0, totalBytes: 0 };
    const archive = await buffer(tarChunks(root, scanContext(root), counts, "gnu"));
    expect(extracted(archive)).toEqual(treeOf(root).map((line) => line.replace(" -1 ", " 0 ")));
    expect(counts.files).toBe([...scanContext(root)].length);
  });

  test("packs devices", async () => {
    const archive = await buffer(packContext("/dev", { include: ["null"] }));
    expect(tar(archive, "-tvf", "-")).toMatch(/^crw.* 0\/0 +1,3 .* null$/m);
  });

  test("packs the holes of sparse files as zeros", async () => {
    writeFileSync(join(root, "sparse"), "begin");
    truncateSync(join(root, "sparse"), 3_000_000);
    appendFileSync(join(root, "sparse"), "end");
    expect(extracted(await pack())).toEqual(treeOf(root));
  });

  test("announces sizes above 8 GiB", async () => {
    writeFileSync(join(root, "huge"), "");
    truncateSync(join(root, "huge"), 8 * 1024 ** 3 + 1);
    for await (const chunk of packContext(root, { checksum: false })) {
      expect(chunk.subarray(0, 2048).toString("latin1")).toContain("19 size=8589934593\n");
      break;
    }
  });

  test("makes the same bytes of the same files, owned by root", async () => {
    createTree(root, trees["project"] ?? []);
    const first = await pack();
    expect(await pack()).toEqual(first);
    expect(new Set(tar(first, "--numeric-owner", "-tvf", "-").match(/\d+\/\d+/g))).toEqual(new Set(["0/0"]));
  });

  test("leaves out what is excluded, in the order of the scan", async () => {
    createTree(root, trees["project"] ?? []);
    const exclude = ["**/node_modules", "docs", "!docs/sub/b.md"];
    const listed = tar(await pack({ exclude }), "-tf", "-")
      .trimEnd()
      .split("\n");
    expect(listed.map((path) => path.replace(/\/$/, ""))).toEqual(
      Array.from(scanContext(root, { exclude }), ({ path }) => path),
    );
  });

  test("packs the folder itself with the permissions that it is given", async () => {
    writeFileSync(join(root, "a"), "content");
    const listing = tar(await pack({ rootMode: 0o750 }), "-tvf", "-").split("\n");
    expect(listing[0]).toMatch(/^drwxr-x--- .* \.\/$/);
    expect(tar(await pack(), "-tf", "-")).toBe("a\n");
  });

  test("puts other files first, in the place of those of the same name", async () => {
    createTree(root, [{ path: "Dockerfile", sizeBytes: 9 }, { path: "a*[1]", sizeBytes: 1 }, { path: "ab1" }]);
    const prepend = [
      { path: "Dockerfile", content: "FROM scratch\n" },
      { path: "a*[1]", content: "x", mode: 0o755 },
    ];
    const archive = await pack({ prepend });
    expect(tar(archive, "-tf", "-").trimEnd().split("\n")).toEqual(["Dockerfile", "a*[1]", "ab1"]);
    tar(archive, "-xpf", "-", "-C", copy);
    expect(readFileSync(join(copy, "Dockerfile"), "utf8")).toBe("FROM scratch\n");
    expect(lstatSync(join(copy, "a*[1]")).mode & 0o777).toBe(0o755);
  });

  test("a name that moves to another inode by a file put first stays a file", async () => {
    createTree(root, [
      { path: "a", sizeBytes: 5 },
      { path: "b", hardlink: "a" },
    ]);
    tar(await pack({ prepend: [{ path: "a", content: "other" }] }), "-xpf", "-", "-C", copy);
    expect(readFileSync(join(copy, "b"), "utf8")).toBe("xxxxx");
  });

  test("compresses, and says what it sent", async () => {
    createTree(root, hard["sizes"] ?? []);
    const plain = await pack();
    const gzip = packContext(root, { compression: "gzip" });
    const sent = await buffer(gzip);
    expect(gunzipSync(sent).equals(plain)).toBe(true);
    expect(await gzip.summary).toEqual({
      files: hard["sizes"]?.length,
      totalBytes: hard["sizes"]?.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0),
      sentBytes: sent.length,
      sha256: createHash("sha256").update(sent).digest("hex"),
    });
    expect(zstdDecompressSync(await pack({ compression: "zstd" })).equals(plain)).toBe(true);
  });

  test("ends with zeros behind its end mark, so that a decompressor hands that over in time", async () => {
    expect((await pack()).equals(Buffer.alloc(2048))).toBe(true);
  });

  test.each(fileChanges)("refuses a file that %s while it is read, and names it", async (_what, change) => {
    createTree(root, [{ path: "d/" }, { path: "d/changing", sizeBytes: 3 << 20 }]);
    const archive = packContext(root);
    await expect(readWhile(archive, () => change(join(root, "d/changing")))).rejects.toMatchObject({
      code: "CONTEXT_INVALID",
      details: { path: "d/changing" },
    });
    await expect(archive.summary).rejects.toMatchObject({ code: "CONTEXT_INVALID" });
  });

  test("refuses a large file that is written to while it is read", async () => {
    createTree(root, [{ path: "large", sizeBytes: 5 << 20 }]);
    await expect(readWhile(packContext(root), () => utimesSync(join(root, "large"), 1, 1), 2)).rejects.toMatchObject({
      code: "CONTEXT_INVALID",
      details: { path: "large" },
    });
  });

  test("stops when aborted, and when the loop is left", async () => {
    createTree(root, [{ path: "large", sizeBytes: 5 << 20 }]);
    const controller = new AbortController();
    const aborted = packContext(root, { signal: controller.signal });
    await expect(readWhile(aborted, () => controller.abort())).rejects.toMatchObject({ code: "ABORTED" });
    const left = packContext(root, { compression: "gzip" });
    for await (const chunk of left) if (chunk.length > 0) break;
    await expect(left.summary).rejects.toMatchObject({ code: "ABORTED" });
    await expect(buffer(left)).rejects.toMatchObject({ code: "INTERNAL" });
  });
});

/** Reads an archive, and does something behind its first chunk. */
async function readWhile(archive: AsyncIterable<Buffer>, action: () => void, behindChunk = 1): Promise<void> {
  let chunks = 0;
  for await (const chunk of archive) {
    expect(chunk.length).toBeGreaterThan(0);
    chunks += 1;
    if (chunks === behindChunk) action();
  }
}
