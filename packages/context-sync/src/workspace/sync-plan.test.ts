import { describe, expect, test } from "vitest";

import type { ManifestEntry } from "../manifest/context-manifest.ts";
import { knownEntries, planSync } from "./sync-plan.ts";

const rest = { size: 0, mtimeNs: 0n, devMajor: 0, devMinor: 0 };

/** `d/` is a directory, `a=x` a file that holds x, `b>a` a hard link, `l@t` a symbolic link, a digit in front a mode. */
function entry(text: string): ManifestEntry {
  const [, bits = "", path = "", kind = "", value = ""] =
    /^(\d*)([^/=>@]+(?:\/[^/=>@]+)*)([/=>@])(.*)$/.exec(text) ?? [];
  const mode = bits === "" ? 0o755 : Number.parseInt(bits, 8);
  switch (kind) {
    case "/":
      return { ...rest, path, mode: 0o040000 | mode };
    case "=":
      return { ...rest, path, mode: 0o100000 | mode, sha256: value };
    case ">":
      return { ...rest, path, mode: 0o100000 | mode, linkname: value, hardlink: true };
    default:
      return { ...rest, path, mode: 0o120000 | mode, linkname: value };
  }
}

function plan(before: string, after: string): readonly [string, string] {
  const entries = (text: string): ManifestEntry[] => text.split(" ").filter(Boolean).map(entry);
  const { removed, sent } = planSync(entries(after), knownEntries(entries(before)));
  return [removed.join(" "), sent.map(({ path }) => path).join(" ")];
}

describe("planSync", () => {
  test.each([
    ["nothing, for the same", "a=1 d/ d/b=2", "a=1 d/ d/b=2", "", ""],
    ["all, for an empty folder", "", "a=1 d/ d/b=2", "", "a d d/b"],
    ["what is new, with the folders above it", "a=1 d/", "a=1 d/ d/e/ d/e/f=1", "", "d d/e d/e/f"],
    ["what has changed", "a=1 d/ d/b=2 d/c=3", "a=1 d/ d/b=9 d/c=3", "d/b", "d d/b"],
    ["a mode", "644a=1", "755a=1", "a", "a"],
    ["what is gone, as few names as possible", "a=1 d/ d/b=2 d/c=3 e=1", "a=1", "d e", ""],
    ["names that only begin alike", "a/ a/x=1 ab=1 a.b=1", "", "a ab a.b", ""],
    ["a folder's mode, keeping what it holds", "755d/ d/b=2", "700d/ d/b=2", "", "d"],
    ["a file for a folder", "d/ d/b=2", "d=1", "d", "d"],
    ["a folder for a file", "d=1", "d/ d/b=2", "d", "d d/b"],
    ["a link for a folder", "d/ d/b=2 e/", "d@e e/", "d", "d"],
    ["a link's target", "l@a", "l@b", "l", "l"],
    ["all names of an inode when its content has changed", "a=1 b>a c=1", "a=2 b>a c=1", "a b", "a b"],
    ["all names of an inode when one is new", "a=1", "a=1 b>a", "a", "a b"],
    ["the new first name of an inode", "a=1 b>a c>a", "b=1 c>b", "a b c", "b c"],
    ["a copy of a name that was a hard link", "a=1 b>a", "a=1 b=1", "b", "b"],
  ])("finds %s", (_what, before, after, removed, sent) => {
    expect(plan(before, after)).toEqual([removed, sent]);
  });
});
