import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { smallFileBytes } from "../archive/content-file.ts";
import { createTree } from "../reference/reference-tree.ts";
import { trees } from "../reference/trees.ts";
import { contextManifest } from "./context-manifest.ts";
import { openHashCache } from "./hash-cache.ts";

let folder: string;
let root: string;
let cache: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-manifest-"));
  root = join(folder, "root");
  cache = join(folder, "cache");
  mkdirSync(root);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const hourMs = 3_600_000;

/** Files are only remembered when they are not brand-new; `ctime` cannot be set, so the clock goes on instead. */
function manifestAnHourLater(): ReturnType<typeof contextManifest> {
  return withClockAhead(() => contextManifest(root, { cache }));
}

async function withClockAhead<Value>(action: () => Promise<Value>): Promise<Value> {
  const now = Date.now;
  Date.now = () => now() + hourMs;
  try {
    return await action();
  } finally {
    Date.now = now;
  }
}

function cacheFile(): string {
  const [name = ""] = readdirSync(cache);
  return join(cache, name);
}

describe("contextManifest", () => {
  test("hashes what files hold", async () => {
    createTree(root, [
      { path: "empty" },
      { path: "small", sizeBytes: 3 },
      { path: "large", sizeBytes: smallFileBytes + 1 },
      { path: "link", link: "small" },
      { path: "twin", hardlink: "small" },
    ]);
    const { entries, totalBytes, readBytes } = await contextManifest(root, { cache: false });
    const sha256 = (name: string): string =>
      createHash("sha256")
        .update(readFileSync(join(root, name)))
        .digest("hex");
    expect(entries.map((entry) => [entry.path, entry.sha256])).toEqual([
      ["empty", sha256("empty")],
      ["large", sha256("large")],
      ["link", undefined],
      ["small", sha256("small")],
      ["twin", undefined],
    ]);
    expect([totalBytes, readBytes]).toEqual([smallFileBytes + 4, smallFileBytes + 4]);
  });

  test("has one hash of the whole that every change but that of a time changes", async () => {
    createTree(root, trees["project"] ?? []);
    const seen = new Set<string>();
    const changes = [
      "true",
      "echo changed >README.md",
      "chmod 755 README.md",
      "mv README.md README",
      "ln -s README link",
      "ln -sfn Dockerfile link",
      "ln README twin",
      "rm twin; cp README twin; chmod 755 twin",
      "mkdir empty",
    ];
    for (const change of changes) {
      execFileSync("sh", ["-c", change], { cwd: root });
      seen.add((await contextManifest(root, { cache })).sha256);
      execFileSync("touch", ["README", "Dockerfile", "-c"], { cwd: root });
      seen.add((await contextManifest(root, { cache })).sha256);
    }
    expect(seen.size).toBe(changes.length);
  });

  test("reads unchanged files once", async () => {
    createTree(root, trees["project"] ?? []);
    writeFileSync(join(root, "file"), "content");
    const first = await manifestAnHourLater();
    expect(first.readBytes).toBe(first.totalBytes);
    expect(await manifestAnHourLater()).toMatchObject({ readBytes: 0, sha256: first.sha256 });
    writeFileSync(join(root, "file"), "CONTENT");
    const third = await manifestAnHourLater();
    expect(third).toMatchObject({ readBytes: 7 });
    expect(third.sha256).not.toBe(first.sha256);
  });

  test("sees a change that keeps size and modification time", async () => {
    createTree(root, [{ path: "file", sizeBytes: 7 }]);
    const before = await manifestAnHourLater();
    const { mtime } = statSync(join(root, "file"));
    writeFileSync(join(root, "file"), "content");
    utimesSync(join(root, "file"), mtime, mtime);
    expect((await manifestAnHourLater()).sha256).not.toBe(before.sha256);
  });

  test("sees a file that takes the place of another", async () => {
    createTree(root, [
      { path: "file", sizeBytes: 7 },
      { path: "other", sizeBytes: 7 },
    ]);
    writeFileSync(join(root, "other"), "content");
    const before = await manifestAnHourLater();
    renameSync(join(root, "other"), join(root, "file"));
    expect((await manifestAnHourLater()).sha256).not.toBe(before.sha256);
  });

  test("does not trust files that were changed just now: the next change may have the same time", async () => {
    writeFileSync(join(root, "file"), "content");
    await contextManifest(root, { cache });
    expect((await contextManifest(root, { cache })).readBytes).toBe(7);
  });

  test("keeps what another process has learned since", async () => {
    createTree(root, [{ path: "a", sizeBytes: 1 }]);
    createTree(root, [{ path: "b", sizeBytes: 2 }]);
    await withClockAhead(() => contextManifest(root, { cache, exclude: ["b"] }));
    await withClockAhead(() => contextManifest(root, { cache, exclude: ["a"] }));
    expect((await manifestAnHourLater()).readBytes).toBe(0);
  });

  test("is the same for many processes at once, whose cache stays whole", async () => {
    createTree(root, trees["project"] ?? []);
    const all = await Promise.all(Array.from({ length: 20 }, () => manifestAnHourLater()));
    expect(new Set(all.map(({ sha256 }) => sha256)).size).toBe(1);
    expect(readdirSync(cache)).toHaveLength(1);
    expect((await manifestAnHourLater()).readBytes).toBe(0);
  });

  test.each([
    ["cut", (path: string) => truncateSync(path, statSync(path).size - 10)],
    ["empty", (path: string) => truncateSync(path)],
    ["something else", (path: string) => writeFileSync(path, "x\n".repeat(9))],
  ])("does without a cache file that is %s", async (_what, damage) => {
    createTree(root, [{ path: "file", sizeBytes: 7 }]);
    const before = await manifestAnHourLater();
    damage(cacheFile());
    expect(await manifestAnHourLater()).toMatchObject({ readBytes: 7, sha256: before.sha256 });
    expect((await manifestAnHourLater()).readBytes).toBe(0);
  });

  test("does without a folder that cannot be written to", async () => {
    createTree(root, [{ path: "file", sizeBytes: 7 }]);
    writeFileSync(cache, "a file");
    expect((await manifestAnHourLater()).readBytes).toBe(7);
  });

  test("keeps hashes for itself, and no others' for ever", async () => {
    createTree(root, [{ path: "file", sizeBytes: 7 }]);
    mkdirSync(cache);
    const old = new Date(Date.now() - 30 * 24 * hourMs);
    for (const name of ["gone.hashes", "gone.hashes.0a1b2c"]) {
      writeFileSync(join(cache, name), "");
      utimesSync(join(cache, name), old, old);
    }
    await manifestAnHourLater();
    expect(readdirSync(cache)).toHaveLength(1);
    expect(statSync(cacheFile()).mode & 0o777).toBe(0o600);
  });

  test("forgets hashes that nobody asked for in two weeks", async () => {
    createTree(root, [
      { path: "a", sizeBytes: 1 },
      { path: "b", sizeBytes: 2 },
    ]);
    await manifestAnHourLater();
    const hashes = await openHashCache(cache, root, Date.now() + 20 * 24 * hourMs);
    const { entries } = await contextManifest(root, { cache: false });
    const [a] = entries;
    if (a === undefined) throw new Error("nothing was found");
    expect(hashes.get(a)).toBe(a.sha256);
    await hashes.save();
    expect((await manifestAnHourLater()).readBytes).toBe(2);
  });

  test("writes nothing without a cache", async () => {
    createTree(root, [{ path: "file", sizeBytes: 7 }]);
    await withClockAhead(() => contextManifest(root, { cache: false }));
    expect(existsSync(cache)).toBe(false);
  });

  test("is stopped by its signal", async () => {
    createTree(root, [{ path: "large", sizeBytes: 5 << 20 }, { path: "more" }]);
    const signal = AbortSignal.abort();
    await expect(contextManifest(root, { cache: false, signal })).rejects.toMatchObject({ code: "ABORTED" });
  });
});
