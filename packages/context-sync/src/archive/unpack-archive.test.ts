import { execFileSync } from "node:child_process";
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
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
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-unpack-"));
  mkdirSync(at("root"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What is packed is below `root`, and goes to `target`. */
function at(path: string): string {
  return join(folder, path);
}

async function* inPieces(archive: Uint8Array, pieceBytes = 700): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < archive.length; offset += pieceBytes) {
    await Promise.resolve();
    yield archive.subarray(offset, offset + pieceBytes);
  }
}

/** What GNU tar makes of files below `root`, with names of its own choice. */
function gnuTar(...argv: string[]): Buffer {
  return execFileSync("tar", ["-cf", "-", "-C", at("root"), ...argv]);
}

describe("unpackArchive", () => {
  test("brings back what was packed: files, modes, links and times", async () => {
    mkdirSync(at("root/dir/empty"), { recursive: true });
    writeFileSync(at("root/dir/ä"), "content", { mode: 0o750 });
    linkSync(at("root/dir/ä"), at("root/dir/same"));
    symlinkSync("dir/ä", at("root/link"));
    await unpackArchive(packContext(at("root")), at("target"));
    expect(readFileSync(at("target/dir/ä"), "utf8")).toBe("content");
    expect(lstatSync(at("target/dir/ä")).mode & 0o7777).toBe(0o750);
    expect(lstatSync(at("target/dir/same")).ino).toBe(lstatSync(at("target/dir/ä")).ino);
    expect(readlinkSync(at("target/link"))).toBe("dir/ä");
    expect(lstatSync(at("target/dir/empty")).isDirectory()).toBe(true);
    expect(lstatSync(at("target/dir/ä")).mtime.getTime()).toBe(
      Math.floor(lstatSync(at("root/dir/ä")).mtimeMs / 1000) * 1000,
    );
  });

  test("leaves out setuid bits, owners and devices", async () => {
    writeFileSync(at("root/a"), "a");
    execFileSync("chmod", ["4755", at("root/a")]);
    execFileSync("mkfifo", [at("root/fifo")]);
    await unpackArchive(inPieces(gnuTar("--owner=12345", "--group=12345", "a", "fifo")), at("target"));
    expect(lstatSync(at("target/a"))).toMatchObject({ uid: process.getuid?.(), gid: process.getgid?.() });
    expect(lstatSync(at("target/a")).mode & 0o7777).toBe(0o755);
    expect(existsSync(at("target/fifo"))).toBe(false);
  });

  test.each(["../escaped", "/../escaped", "x/../../escaped", "../../../../../../../../escaped"])(
    "takes %s for a name in the folder, and writes nothing outside it",
    async (name) => {
      writeFileSync(at("root/a"), "evil");
      const archive = gnuTar("-P", `--transform=s,^a$,${name},`, "a");
      expect(archive.toString("latin1", 0, name.length)).toBe(name);
      await unpackArchive(inPieces(archive), at("target"));
      expect(readFileSync(at("target/escaped"), "utf8")).toBe("evil");
      expect(readdirSync(folder).sort()).toEqual(["root", "target"]);
    },
  );

  test("follows no link that leads out, whether it is new or was there", async () => {
    const outside = at("outside");
    mkdirSync(outside);
    symlinkSync(outside, at("root/door"));
    mkdirSync(at("root/real"));
    writeFileSync(at("root/real/file"), "evil");
    const archive = gnuTar("-P", "--transform=s,^real,door,", "door", "real/file");
    await expect(unpackArchive(inPieces(archive), at("target"))).rejects.toMatchObject({ code: "CONTEXT_INVALID" });
    expect(existsSync(join(outside, "file"))).toBe(false);

    const second = at("second");
    mkdirSync(second);
    symlinkSync(outside, join(second, "door"));
    const through = gnuTar("--transform=s,^real,door,", "real/file");
    await expect(unpackArchive(inPieces(through), second)).rejects.toMatchObject({ code: "CONTEXT_INVALID" });
    expect(existsSync(join(outside, "file"))).toBe(false);
  });

  test("refuses an archive that ends early, wherever", async () => {
    writeFileSync(at("root/a"), "a".repeat(2000));
    writeFileSync(at("root/b"), "b");
    const archive = gnuTar("a", "b");
    // Within a header, within a content, behind a file, and before the second of the blocks that end it.
    const contentEnd = 512 + 2048 + 512 + 512;
    for (const bytes of [0, 100, 1000, 512 + 2048, contentEnd, contentEnd + 512]) {
      const cut = unpackArchive(inPieces(archive.subarray(0, bytes)), at("target"));
      await expect(cut, `${bytes} bytes`).rejects.toMatchObject({
        code: "CONTEXT_INVALID",
        details: { path: at("target") },
      });
    }
    await unpackArchive(inPieces(archive.subarray(0, contentEnd + 1024)), at("target"));
  });

  test("ends with its signal, and with an archive that fails", async () => {
    writeFileSync(at("root/a"), "a");
    const reason = new Error("enough");
    await expect(
      unpackArchive(inPieces(gnuTar("a")), at("target"), { signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason);
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield* inPieces(gnuTar("a").subarray(0, 600));
      throw new Error("connection lost");
    };
    await expect(unpackArchive(failing(), at("target"))).rejects.toThrow("connection lost");
  });

  test("names a folder that cannot be made", async () => {
    writeFileSync(at("file"), "");
    const path = at("file/below");
    await expect(unpackArchive(inPieces(new Uint8Array(1024)), path)).rejects.toMatchObject({ details: { path } });
  });
});
