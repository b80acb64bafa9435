import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { buildOptionsSchema, type BuildOptions, type BuildRequest } from "@slipway/core";
import { afterAll, beforeAll, expect, it } from "vitest";

import { baseImages, possibleBaseImages } from "./base-images.ts";

const dockerfile = "FROM r.example.com/base/app:1 AS base\nFROM scratch\nCOPY --from=base /a /a\n";
const known = ["r.example.com/base/app:1"];
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-base-images-"));
  await writeFile(join(folder, "Dockerfile"), dockerfile);
});
afterAll(() => rm(folder, { recursive: true }));

const requestOf = (options: BuildOptions): BuildRequest => ({
  ...buildOptionsSchema.parse({ tags: ["r.example.com/team/app:1"], ...options }),
  id: "b1",
  name: "app",
});

it.each<[string, () => BuildOptions, readonly string[], boolean]>([
  ["a folder", () => ({ context: folder }), known, true],
  ["a folder without a Dockerfile", () => ({ context: folder, dockerfile: "none" }), [], true],
  ["a repository", () => ({ context: "https://git.example.com/app.git" }), [], false],
  ["an address", () => ({ context: { type: "http", url: "https://example.com/app.tar" } }), [], false],
  [
    "a Dockerfile as text",
    () => ({ context: "https://git.example.com/app.git", dockerfileInline: dockerfile }),
    known,
    true,
  ],
  [
    "an image as a further context",
    () => ({ context: "https://git.example.com/app.git", contexts: { extra: "docker-image://r.example.com/extra:2" } }),
    ["r.example.com/extra:2"],
    false,
  ],
])("%s: which base images are known, and whether that is all", async (_title, options, references, isComplete) => {
  const request = requestOf(options());
  expect(await baseImages(request)).toEqual({ references, isComplete });
  expect(await possibleBaseImages(request)).toEqual(expect.arrayContaining([...references]));
});
