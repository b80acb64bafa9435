import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { BuilderError } from "@slipway/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { ScanOptions } from "./scan-filter.ts";
import { scanContext } from "./scan-context.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "slipway-scan-"));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

function write(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), path);
  }
}

function scan(options?: ScanOptions): string[] {
  return Array.from(scanContext(root, options), (entry) => entry.path);
}

function failure(action: () => unknown): BuilderError<"CONTEXT_INVALID"> {
  try {
    action();
  } catch (error) {
    if (BuilderError.isInstance(error) && error.code === "CONTEXT_INVALID") return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** Root reads everything, so what must not be readable is read as another user. */
function asOrdinaryUser<Value>(action: () => Value): Value {
  if (process.getuid?.() !== 0 || process.seteuid === undefined) return action();
  process.seteuid(65_534);
  try {
    return action();
  } finally {
    process.seteuid(0);
  }
}

describe("scanContext", () => {
  test("keeps modification times to the nanosecond", () => {
    write("file");
    execFileSync("touch", ["-d", "2023-11-14T22:13:20.123456789Z", join(root, "file")]);
    expect([...scanContext(root)][0]?.mtimeNs).toBe(1_700_000_000_123_456_789n);
  });

  test("lists devices with their numbers", () => {
    const [device] = scanContext("/dev", { include: ["null"] });
    expect(device).toMatchObject({ path: "null", devMajor: 1, devMinor: 3 });
  });

  test("leaves out sockets", async () => {
    write("file");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(root, "socket"), resolve));
    try {
      expect(scan()).toEqual(["file"]);
    } finally {
      server.close();
    }
  });

  test("leaves out what vanishes during the scan", () => {
    write("a", "b", "d/e");
    const entries = scanContext(root);
    expect(entries.next().value?.path).toBe("a");
    unlinkSync(join(root, "b"));
    rmSync(join(root, "d"), { recursive: true });
    expect([...entries]).toEqual([]);
  });

  test("resolves links in the root, and none inside", () => {
    write("real/file");
    symlinkSync("real", join(root, "alias"));
    expect(Array.from(scanContext(join(root, "alias")), (entry) => entry.path)).toEqual(["file"]);
    expect(scan()).toEqual(["alias", "real", "real/file"]);
  });

  test("does not read directories that no pattern leads to", () => {
    write("wanted/file", "secret/file", "ignored/file");
    chmodSync(join(root, "secret"), 0);
    chmodSync(root, 0o755);
    expect(asOrdinaryUser(() => scan({ followPaths: ["wanted/file"] }))).toEqual(["wanted", "wanted/file"]);
    expect(asOrdinaryUser(() => scan({ exclude: ["secret"] }))).toEqual([
      "ignored",
      "ignored/file",
      "wanted",
      "wanted/file",
    ]);
    expect(asOrdinaryUser(() => scan({ exclude: ["secret", "!secret/*"] }))).toContain("wanted/file");
    chmodSync(join(root, "secret"), 0o755);
  });

  test("refuses a directory that cannot be read, and names it", () => {
    write("locked/file");
    chmodSync(join(root, "locked"), 0);
    chmodSync(root, 0o755);
    const error = failure(() => asOrdinaryUser(() => scan()));
    chmodSync(join(root, "locked"), 0o755);
    expect(error.details.path).toBe("locked");
    expect(error.message).toMatch(/Cannot read locked .*EACCES.*Make it readable/);
  });

  test("refuses names that are not UTF-8, unless they are excluded", () => {
    write("\ufffd-is-fine");
    writeFileSync(Buffer.concat([Buffer.from(`${root}/bad-`), Buffer.from([0xff])]), "");
    expect(failure(() => scan()).message).toMatch(/not UTF-8/);
    expect(scan({ exclude: ["bad*"] })).toEqual(["\ufffd-is-fine"]);
  });

  test.each([
    ["missing", /does not exist/],
    ["file", /is not a directory/],
    ["file/below", /does not exist/],
  ])("refuses the root %s", (name, message) => {
    write("file");
    const error = failure(() => [...scanContext(join(root, name))]);
    expect(error.message).toMatch(message);
    expect(error.details.path).toBe(join(root, name));
  });

  test("refuses malformed patterns, and names them", () => {
    expect(failure(() => scan({ exclude: ["ok", "foo[", "x"] })).details.path).toBe("foo[");
    write("ab");
    expect(failure(() => scan({ exclude: ["a*["] })).message).toMatch(/"a\*\["/);
    expect(failure(() => scan({ exclude: ["!"] })).message).toMatch(/exclamation mark/);
  });
});
