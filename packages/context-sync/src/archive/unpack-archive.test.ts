import { execFileSync } from "node:child_process";
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { packContext } from "./pack-context.ts";
import { unpackArchive } from "./unpack-archive.ts";

let folder: string;
let root: string;
let target: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-unpack-"));
  root = join(folder, "root");
  target = join(folder, "target");
  mkdirSync(root);
});
afterEach(() => rmSync(folder, { recursive: true }));

async function* inPieces(archive: Uint8Array, pieceBytes = 700): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < archive.length; offset += pieceBytes) {
    await Promise.resolve();
    yield archive.subarray(offset, offset + pieceBytes);
  }
}

/** What GNU tar makes of files below `root`, with names of its own choice. */
function gnuTar(...argv: string[]): Buffer {
  return execFileSync("tar", ["-cf", "-", "-C", root, ...argv]);
}

describe("unpackArchive", () => {
  test("brings back what was packed: files, modes, links and times", async () => {
    mkdirSync(join(root, "dir/empty"), { recursive: true });
    writeFileSync(join(root, "dir/ä"), "content", { mode: 0o750 });
    linkSync(join(root, "dir/ä"), join(root, "dir/same"));
    symlinkSync("dir/ä", join(root, "link"));
    await unpackArchive(packContext(root), target);
    expect(readFileSync(join(target, "dir/ä"), "utf8")).toBe("content");
    expect(lstatSync(join(target, "dir/ä")).mode & 0o7777).toBe(0o750);
    expect(lstatSync(join(target, "dir/same")).ino).toBe(lstatSync(join(target, "dir/ä")).ino);
    expect(readlinkSync(join(target, "link"))).toBe("dir/ä");
    expect(lstatSync(join(target, "dir/empty")).isDirectory()).toBe(true);
    expect(lstatSync(join(target, "dir/ä")).mtime.getTime()).toBe(
      Math.floor(lstatSync(join(root, "dir/ä")).mtimeMs / 1000) * 1000,
    );
  });

  test("leaves out setuid bits, owners and devices", async () => {
    writeFileSync(join(root, "a"), "a");
    execFileSync("chmod", ["4755", join(root, "a")]);
    execFileSync("mkfifo", [join(root, "fifo")]);
    await unpackArchive(inPieces(gnuTar("--owner=12345", "--group=12345", "a", "fifo")), target);
    expect(lstatSync(join(target, "a"))).toMatchObject({ uid: process.getuid?.(), gid: process.getgid?.() });
    expect(lstatSync(join(target, "a")).mode & 0o7777).toBe(0o755);
    expect(existsSync(join(target, "fifo"))).toBe(false);
  });

  test("writes nothing outside the folder", async () => {
    writeFileSync(join(root, "a"), "evil");
    for (const name of ["../escaped", "/../escaped", "x/../../escaped"]) {
      const archive = gnuTar("-P", `--transform=s,^a$,${name},`, "a");
      await unpackArchive(inPieces(archive), target).catch(() => undefined);
      expect(existsSync(join(folder, "escaped")), name).toBe(false);
    }
  });

  test("follows no link that leads out, whether it is new or was there", async () => {
    const outside = join(folder, "outside");
    mkdirSync(outside);
    symlinkSync(outside, join(root, "door"));
    mkdirSync(join(root, "real"));
    writeFileSync(join(root, "real/file"), "evil");
    const archive = gnuTar("-P", "--transform=s,^real,door,", "door", "real/file");
    await expect(unpackArchive(inPieces(archive), target)).rejects.toMatchObject({ code: "CONTEXT_INVALID" });
    expect(existsSync(join(outside, "file"))).toBe(false);

    const second = join(folder, "second");
    mkdirSync(second);
    symlinkSync(outside, join(second, "door"));
    const through = gnuTar("--transform=s,^real,door,", "real/file");
    await expect(unpackArchive(inPieces(through), second)).rejects.toMatchObject({ code: "CONTEXT_INVALID" });
    expect(existsSync(join(outside, "file"))).toBe(false);
  });

  test("refuses an archive that ends early, wherever", async () => {
    writeFileSync(join(root, "a"), "a".repeat(2000));
    writeFileSync(join(root, "b"), "b");
    const archive = gnuTar("a", "b");
    // Within a header, within a content, behind a file, and before the second of the blocks that end it.
    const contentEnd = 512 + 2048 + 512 + 512;
    for (const bytes of [0, 100, 1000, 512 + 2048, contentEnd, contentEnd + 512]) {
      const cut = unpackArchive(inPieces(archive.subarray(0, bytes)), target);
      await expect(cut, `${bytes} bytes`).rejects.toMatchObject({ code: "CONTEXT_INVALID", details: { path: target } });
    }
    await unpackArchive(inPieces(archive.subarray(0, contentEnd + 1024)), target);
  });

  test("ends with its signal, and with an archive that fails", async () => {
    writeFileSync(join(root, "a"), "a");
    const reason = new Error("enough");
    await expect(unpackArchive(inPieces(gnuTar("a")), target, { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield* inPieces(gnuTar("a").subarray(0, 600));
      throw new Error("connection lost");
    };
    await expect(unpackArchive(failing(), target)).rejects.toThrow("connection lost");
  });

  test("names a folder that cannot be made", async () => {
    writeFileSync(join(folder, "file"), "");
    const path = join(folder, "file/below");
    await expect(unpackArchive(inPieces(new Uint8Array(1024)), path)).rejects.toMatchObject({ details: { path } });
  });
});
