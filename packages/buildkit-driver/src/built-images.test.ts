import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { identify } from "@slipway/context-sync";
import { buildOptionsSchema, BuiltImages, type BuildRequest } from "@slipway/core";
import { afterEach, beforeEach, expect, it } from "vitest";

const digest = `sha256:${"a".repeat(64)}`;
const unrecorded = (): Promise<readonly string[]> => Promise.resolve([]);
let folder: string;
let request: BuildRequest;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-version-"));
  await writeFile(join(folder, "Dockerfile"), "FROM scratch\nCOPY a /\n");
  await writeFile(join(folder, "a"), "content");
  await Promise.all(["Dockerfile", "a", "."].map((name) => utimes(join(folder, name), 1, 1)));
  const options = buildOptionsSchema.parse({ context: folder, tags: ["registry.example.com/a:1"] });
  request = { ...options, id: "b1", name: "a" };
});
afterEach(() => rm(folder, { recursive: true }));

it("names an image after what it was built from", async () => {
  const images = new BuiltImages(identify);
  images.add(digest, request, 10_000);
  const tag = await images.versionTag(digest, unrecorded);
  expect(tag).toMatch(/^v-[\da-f]{16}$/);
  expect(await images.versionTag(digest, unrecorded)).toBe(tag);
  const other = `sha256:${"b".repeat(64)}`;
  images.add(other, { ...request, target: "x" }, 10_000);
  expect(await images.versionTag(other, unrecorded)).not.toBe(tag);
});

it("does not name an image after files that have changed since", async () => {
  const images = new BuiltImages(identify);
  images.add(digest, request, 10_000);
  await utimes(join(folder, "a"), 20, 20);
  await expect(images.versionTag(digest, unrecorded)).rejects.toMatchObject({
    code: "INVALID_OPTIONS",
    message: expect.stringMatching(
      /a of the build context has changed since the build\. Give the tag, or versionTag/,
    ) as unknown,
  });
});

it("names an image that it has not built after what its registry has recorded, if that is one thing", async () => {
  const images = new BuiltImages(identify);
  const recorded = (...identities: readonly string[]) => images.versionTag(digest, () => Promise.resolve(identities));
  expect(await recorded(`sha256:${"12345678".repeat(8)}`)).toBe("v-1234567812345678");
  for (const identities of [["latest"], [`sha256:${"1".repeat(64)}`, `sha256:${"2".repeat(64)}`]])
    await expect(recorded(...identities)).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
  images.add(digest, request, 10_000);
  const own = await images.versionTag(digest, () => Promise.reject(new Error("nobody has to be asked")));
  expect(own).not.toBe("v-1234567812345678");
  await utimes(join(folder, "a"), 20, 20);
  expect(await recorded(`sha256:${"12345678".repeat(8)}`)).toBe("v-1234567812345678");
});
