import { expect, test } from "vitest";

import { tarHeader } from "./tar-header.ts";

const file = { path: "file", mode: 0o100644, size: 0, mtimeNs: 0n, devMajor: 0, devMinor: 0 };

function textOf(entry: Parameters<typeof tarHeader>[0]): string {
  const header = tarHeader(entry);
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
