import { expect, test } from "vitest";

import { tarHeader, type TarFormat } from "./tar-header.ts";

const file = { path: "file", mode: 0o100644, size: 0, mtimeNs: 0n, devMajor: 0, devMinor: 0 };

function textOf(entry: Parameters<typeof tarHeader>[0], format?: TarFormat): string {
  const header = tarHeader(entry, format);
  const target = Buffer.alloc(header.sizeBytes, "x");
  header.write(target, 0);
  return target.toString("latin1");
}

test.each([0, 7, 8, 2 ** 30 - 1, 2 ** 30, 5_000_000_000, 8 ** 11 - 1])("a size of %d is octal", (size) => {
  const text = textOf({ ...file, size });
  expect(text).toHaveLength(512);
  expect(text.slice(124, 136)).toBe(`${size.toString(8).padStart(11, "0")}\0`);
});

test.each([
  [1_700_000_000_999_999_999n, `${(1_700_000_000).toString(8)}\0`],
  [0n, "00000000000\0"],
] as const)("a time of %d ns is that of its second", (mtimeNs, field) => {
  expect(textOf({ ...file, mtimeNs }).slice(136, 148)).toBe(field);
});

test("a time before 1970 is rounded down, in a record", () => {
  expect(textOf({ ...file, mtimeNs: -1n })).toContain("12 mtime=-1\n");
});

test("a record counts the digits of its own length", () => {
  // The 8 bytes of ` path=…\n` and two digits are 99 with 89 bytes; one byte more has the third digit.
  for (const length of [120, 300, 990, 991, 992, 993, 994]) {
    const text = textOf({ ...file, path: "a".repeat(length) });
    const [record = "", digits] = /(\d+) path=a+\n/.exec(text) ?? [];
    expect(Number(digits)).toBe(record.length);
  }
});

test("names that do not fit are in ASCII for those who do not know records", () => {
  const text = textOf({ ...file, path: "日本語" });
  expect(text.slice(1024, 1028)).toBe("___\0");
});

test("GNU's format has sizes above 8 GiB in binary, and long names before the entry", () => {
  const text = textOf({ ...file, path: "é".repeat(51), size: 2 ** 33 }, "gnu");
  expect(text).toHaveLength(1536);
  expect(text.slice(156, 157)).toBe("L");
  expect(Buffer.from(text.slice(512, 615), "latin1").toString()).toBe(`${"é".repeat(51)}\0`);
  expect(text.slice(1024 + 124, 1024 + 136)).toBe("\x80\0\0\0\0\0\0\x02\0\0\0\0");
});
