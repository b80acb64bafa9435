import { mkdir, mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createBuilder } from "@slipway/core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { createFakeDriver } from "./fake-driver.ts";

const source = "registry.example.com/team/api:v1";
const builtAtMs = 5_000;
const paths = ["Dockerfile", "src/main.ts", "src/old.ts", "src", "."];

let context: string;
beforeEach(async () => {
  context = await mkdtemp(join(tmpdir(), "fake-versions-"));
  await mkdir(join(context, "src"));
  for (const path of paths.slice(0, 3)) await writeFile(join(context, path), "FROM scratch\n");
  await touch(1, ...paths);
  vi.useFakeTimers({ toFake: ["Date"], now: builtAtMs });
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(context, { recursive: true });
});

async function touch(timeMs: number, ...touched: readonly string[]): Promise<void> {
  for (const path of touched) await utimes(join(context, path), timeMs / 1000, timeMs / 1000);
}

/** The tag that an image gets for what it was built from, after something has happened to that. */
async function versionAfter(happens: () => Promise<void>): Promise<string | undefined> {
  const driver = createFakeDriver();
  await using builder = createBuilder({ driver });
  await builder.build({ context, tags: [source] }).result();
  await happens();
  await builder.publish({ source, destinations: ["mirror.example.com/api"] });
  return [...driver.cluster.images.keys()].find((name) => name.startsWith("mirror.example.com/api:"));
}

test.each([
  { what: "a file", path: "src/main.ts" },
  { what: "the folder of the context, as when a file is gone", path: "." },
  { what: "a folder within, as when a file is gone", path: "src" },
])("what an image was built from is not known when $what has changed since", async ({ path }) => {
  const publishing = versionAfter(() => touch(builtAtMs + 1, path));
  await expect(publishing).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
  await expect(publishing).rejects.toThrow(`${path} of the build context has changed since the build`);
});

test("a file that is deleted in a folder within shows", async () => {
  const publishing = versionAfter(() => rm(join(context, "src/old.ts")));
  await expect(publishing).rejects.toThrow("src of the build context has changed since the build");
});

test("an image whose context is gone is not named after it", async () => {
  const publishing = versionAfter(() => rename(context, `${context}-moved`));
  await expect(publishing.finally(() => rename(`${context}-moved`, context))).rejects.toMatchObject({
    code: "INVALID_OPTIONS",
    message: expect.stringContaining("not known: Cannot read . of the build context (ENOENT). Give the tag") as unknown,
  });
});

test("what was written within the millisecond in which the build began was built", async () => {
  expect(await versionAfter(() => touch(builtAtMs + 0.5, ...paths))).toMatch(/:v-[\da-f]{16}$/);
});
