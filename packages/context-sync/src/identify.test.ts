import { chmod, mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { BuildOptions } from "@slipway/core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { identify } from "./identify.ts";

let folder: string;
let options: BuildOptions;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-identify-"));
  vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache"));
  await writeFile(join(folder, "Dockerfile"), "FROM scratch\nCOPY a /\n");
  await writeFile(join(folder, ".dockerignore"), "ignored\ncache\n");
  await writeFile(join(folder, "a"), "content", { mode: 0o644 });
  options = { context: folder, tags: ["registry.example.com/a:1"], buildArgs: { b: "2", a: "1" } };
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

type Change = readonly [string, () => Promise<void> | void];

const harmless: readonly Change[] = [
  ["a time", () => utimes(join(folder, "a"), 1, 1)],
  ["an ignored file", () => writeFile(join(folder, "ignored"), "x")],
  ["a tag", () => void (options = { ...options, tags: ["registry.example.com/a:2"] })],
  ["the order of arguments", () => void (options = { ...options, buildArgs: { a: "1", b: "2" } })],
  ["a secret", () => void (options = { ...options, secrets: { token: { value: "hunter2" } } })],
  [
    "what is done with the image",
    () => void (options = { ...options, skipIfPresent: true, supersedes: "image", name: "a" }),
  ],
  ["a cache", () => void (options = { ...options, noCache: true, cacheFrom: ["registry.example.com/cache"] })],
];

test.each(harmless)("%s leaves the hash as it is", async (_what, change) => {
  const before = await identify(options);
  expect(before).toMatch(/^sha256:[a-f\d]{64}$/);
  await change();
  expect(await identify(options)).toBe(before);
});

const decisive: readonly Change[] = [
  ["a file's content", () => writeFile(join(folder, "a"), "changed")],
  [
    "the Dockerfile by its other name",
    async () => {
      await rm(join(folder, "Dockerfile"));
      await writeFile(join(folder, "dockerfile"), "FROM scratch\n");
    },
  ],
  ["a file's mode", () => chmod(join(folder, "a"), 0o755)],
  ["a new file", () => writeFile(join(folder, "b"), "")],
  ["the Dockerfile", () => writeFile(join(folder, "Dockerfile"), "FROM scratch\n")],
  ["what is ignored", () => writeFile(join(folder, ".dockerignore"), "a\n")],
  ["an argument", () => void (options = { ...options, buildArgs: { a: "1", b: "3" } })],
  ["the target", () => void (options = { ...options, target: "x" })],
  ["a platform", () => void (options = { ...options, platforms: ["linux/arm64"] })],
];

test.each(decisive)("%s changes the hash", async (_what, change) => {
  const before = await identify(options);
  await change();
  expect(await identify(options)).not.toBe(before);
});

test.each(["dockerfile", "sub/dockerfile", "./sub/dockerfile"])(
  "%s is read, and its ignore file, where there is no Dockerfile",
  async (dockerfile) => {
    options = { ...options, dockerfile: dockerfile.replace(/dockerfile$/, "Dockerfile") };
    await rm(join(folder, "Dockerfile"));
    await mkdir(join(folder, "sub"));
    const hashes = new Set<string>();
    for (const text of ["FROM scratch\n", "FROM busybox\n"]) {
      await writeFile(join(folder, dockerfile), text);
      for (const ignored of ["cache\n*ockerfile*\n", "cache\n*ockerfile*\na\n"]) {
        await writeFile(join(folder, `${dockerfile}.dockerignore`), ignored);
        hashes.add(await identify(options));
      }
    }
    expect(hashes.size).toBe(4);
    const changed = identify(options, { unchangedSinceMs: 1 });
    await expect(changed).rejects.toMatchObject({ code: "CONTEXT_INVALID", details: { path: dockerfile } });
  },
);

test("a Dockerfile of another name is never read by another one", async () => {
  await writeFile(join(folder, "api.dockerfile"), "FROM scratch\n");
  await expect(identify({ ...options, dockerfile: "api.Dockerfile" })).rejects.toMatchObject({
    code: "CONTEXT_INVALID",
    details: { path: "api.Dockerfile" },
  });
});

test("known hashes leave the hash as it is", async () => {
  const cache = join(folder, "cache");
  const before = await identify(options, { cache: false });
  expect(await identify(options, { cache })).toBe(before);
  expect(await identify(options, { cache })).toBe(before);
});

test("files that have changed since a build are refused", async () => {
  await expect(identify(options, { unchangedSinceMs: 1 })).rejects.toMatchObject({ code: "CONTEXT_INVALID" });
  expect(await identify(options, { unchangedSinceMs: Date.now() + 1000 })).toMatch(/^sha256:/);
});

test("a Dockerfile that is not there is named", async () => {
  await expect(identify({ ...options, dockerfile: "none" })).rejects.toMatchObject({
    code: "CONTEXT_INVALID",
    details: { path: "none" },
  });
});

const old = new Date(1_000);

/** Makes everything older than a build that began at 10 s. */
async function age(): Promise<void> {
  for (const name of ["Dockerfile", ".dockerignore", "a", "."]) await utimes(join(folder, name), old, old);
}

test.each<Change>([
  ["a file", () => writeFile(join(folder, "a"), "changed")],
  ["a file that is gone", () => rm(join(folder, "a"))],
  ["the ignore file", () => writeFile(join(folder, ".dockerignore"), "ignored\nDockerfile\n")],
  ["a Dockerfile that is ignored itself", () => writeFile(join(folder, "Dockerfile"), "FROM scratch\n")],
])("what changes after a build is refused: %s", async (_what, change) => {
  await writeFile(join(folder, ".dockerignore"), "ignored\nDockerfile\n");
  await age();
  await identify(options, { unchangedSinceMs: 10_000 });
  await change();
  await expect(identify(options, { unchangedSinceMs: 10_000 })).rejects.toMatchObject({ code: "CONTEXT_INVALID" });
});

test.each(["a", ".dockerignore", "Dockerfile", "."])(
  "what was written within the millisecond in which a build began was built: %s",
  async (path) => {
    await writeFile(join(folder, ".dockerignore"), "ignored\n");
    await age();
    const touch = (timeMs: number) => utimes(join(folder, path), timeMs / 1000, timeMs / 1000);
    await touch(10_000.5);
    expect(await identify(options, { unchangedSinceMs: 10_000 })).toMatch(/^sha256:/);
    await touch(10_001.5);
    await expect(identify(options, { unchangedSinceMs: 10_000 })).rejects.toMatchObject({ details: { path } });
  },
);

test.each<[string, BuildOptions["context"], boolean]>([
  ["a branch", { type: "git", url: "https://git.example.com/a.git", ref: "main" }, false],
  ["a commit", { type: "git", url: "https://git.example.com/a.git", ref: "0".repeat(40) }, true],
  ["an address", { type: "http", url: "https://example.com/a.tar" }, false],
  ["a tag", { type: "image", reference: "registry.example.com/a:1" }, false],
  ["a digest", { type: "image", reference: `registry.example.com/a@sha256:${"0".repeat(64)}` }, true],
])("%s as a further context: whether it has an identity", async (_what, context, pinned) => {
  const identified = identify({ ...options, contexts: { further: context } });
  if (pinned) expect(await identified).toMatch(/^sha256:/);
  else await expect(identified).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
});
