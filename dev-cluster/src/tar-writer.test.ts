import { execFileSync } from "node:child_process";

import { describe, expect, it } from "vitest";

import { type TarEntry, encodeTarHeader, tarEnd, tarPadding } from "./tar-writer.ts";

function archive(...members: { entry: TarEntry; data?: Buffer }[]): Buffer {
  const blocks = members.flatMap(({ entry, data = Buffer.alloc(0) }) => [
    encodeTarHeader({ ...entry, ...(entry.type === "file" ? { sizeBytes: data.length } : {}) }),
    data,
    tarPadding(data.length),
  ]);
  return Buffer.concat([...blocks, tarEnd()]);
}

function list(tar: Buffer): readonly string[] {
  const text = execFileSync("tar", ["--numeric-owner", "--utc", "-tvf", "-"], { input: tar, encoding: "utf8" });
  return text
    .trimEnd()
    .split("\n")
    .map((line) => line.replaceAll(/ +/g, " "));
}

describe("encodeTarHeader", () => {
  it("writes files, folders and links that tar reads, without times", () => {
    const tar = archive(
      { entry: { path: "bin", type: "directory", mode: 0o755 } },
      { entry: { path: "bin/tool", type: "file", mode: 0o4750, uid: 1000, gid: 7 }, data: Buffer.from("hello") },
      { entry: { path: "bin/link", type: "symlink", mode: 0o777, linkTarget: "tool" } },
    );
    expect(list(tar)).toEqual([
      "drwxr-xr-x 0/0 0 1970-01-01 00:00 bin/",
      "-rwsr-x--- 1000/7 5 1970-01-01 00:00 bin/tool",
      "lrwxrwxrwx 0/0 0 1970-01-01 00:00 bin/link -> tool",
    ]);
    expect(execFileSync("tar", ["-xOf", "-", "bin/tool"], { input: tar, encoding: "utf8" })).toBe("hello");
  });

  it("keeps names and link targets longer than ustar's 100 bytes", () => {
    const path = `${"folder/".repeat(30)}file`;
    const linkTarget = "é/".repeat(80);
    const lines = list(
      archive(
        { entry: { path, type: "file", mode: 0o644 } },
        { entry: { path: "l", type: "symlink", mode: 0o777, linkTarget } },
      ),
    );
    expect(lines[0]).toContain(path);
    expect(lines[1]).toMatch(/-> /);
  });

  it("writes extended attributes as bytes, in records that count their own length", () => {
    const value = Buffer.from([0x01, 0x00, 0x00, 0x02, 0x80, 0xff]);
    const header = encodeTarHeader({ path: "x", type: "file", mode: 0o755, xattrs: { "security.capability": value } });
    expect(header.length).toBe(3 * 512);
    const records = header.subarray(512, 1024);
    expect(records.toString("latin1")).toContain("21 hdrcharset=BINARY\n");
    const at = records.indexOf("SCHILY.xattr.security.capability=");
    const length = "SCHILY.xattr.security.capability=".length;
    expect(records.subarray(at + length, at + length + value.length)).toEqual(value);
    expect(Number(records.subarray(at - 3, at).toString())).toBe(3 + length + value.length + 1);
  });

  it("has a checksum over the header with blanks in its place", () => {
    const header = encodeTarHeader({ path: "x", type: "file", mode: 0o644 });
    const sum = Number.parseInt(header.toString("latin1", 148, 154), 8);
    expect(
      Buffer.from(header)
        .fill(" ", 148, 156)
        .reduce((total, byte) => total + byte, 0),
    ).toBe(sum);
  });

  it("refuses a size that does not fit", () => {
    expect(() => encodeTarHeader({ path: "x", type: "file", mode: 0o644, sizeBytes: 8 ** 11 })).toThrow(RangeError);
  });
});

describe("tarPadding", () => {
  it.each([
    [0, 0],
    [1, 511],
    [512, 0],
    [513, 511],
  ])("fills %i bytes up with %i", (sizeBytes, padding) => {
    expect(tarPadding(sizeBytes).length).toBe(padding);
  });
});
