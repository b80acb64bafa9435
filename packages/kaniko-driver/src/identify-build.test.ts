import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { identify } from "@slipway/context-sync";
import { buildOptionsSchema, parseOptions } from "@slipway/core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { identifyBuild } from "./identify-build.ts";
import type { KanikoBuildOptions } from "./kaniko-options.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-identify-build-"));
  vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache"));
  await writeFile(join(folder, "Dockerfile"), "FROM scratch\n");
  await writeFile(join(folder, ".dockerignore"), "cache\n");
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const build = () => ({ context: folder, tags: ["registry.example.com/team/api:v1"] });

async function identityOf(driver: KanikoBuildOptions, kaniko: KanikoBuildOptions = {}): Promise<string> {
  const request = { ...parseOptions(buildOptionsSchema, build(), "build"), id: "1", name: "api", kaniko };
  return identifyBuild(request, driver);
}

test.each<[string, KanikoBuildOptions]>([
  ["no option", {}],
  ["a cache", { cache: { enabled: false } }],
  ["no flags", { args: [] }],
  ["how much is logged", { verbosity: "debug" }],
])("%s leaves it what identify says", async (_what, kaniko) => {
  const identity = await identify(build());
  expect(await identityOf({}, kaniko)).toBe(identity);
  expect(await identityOf(kaniko)).toBe(identity);
});

test.each<[string, KanikoBuildOptions]>([
  ["the snapshot mode", { snapshotMode: "time" }],
  ["one snapshot", { singleSnapshot: true }],
  ["reproducible", { reproducible: true }],
  ["flags", { args: ["--push-ignore-immutable-tag-errors"] }],
])("%s makes it another one, in the driver and in the build", async (_what, kaniko) => {
  const identity = await identityOf({});
  expect(await identityOf({}, kaniko)).not.toBe(identity);
  expect(await identityOf(kaniko)).not.toBe(identity);
});
