import { expect, test, vi } from "vitest";

import { BuilderError } from "./builder-error.ts";
import type { BuildRequest } from "./builder-driver.ts";
import { buildOptionsSchema } from "./build-options.ts";
import { BuiltImages, needsVersionTag } from "./built-images.ts";

const digest = `sha256:${"a".repeat(64)}`;
const identity = `sha256:${"12345678".repeat(8)}`;
const unrecorded = (): Promise<readonly string[]> => Promise.resolve([]);
const options = buildOptionsSchema.parse({ context: ".", tags: ["registry.example.com/a:1"] });
const request: BuildRequest = { ...options, id: "b1", name: "a" };

test("an image is named after what its build was made of when it began", async () => {
  const identify = vi.fn(() => Promise.resolve(identity));
  const images = new BuiltImages(identify);
  images.add(digest, request, 10_000);
  expect(await images.versionTag(digest, unrecorded)).toBe("v-1234567812345678");
  expect(identify.mock.calls).toEqual([[request, { unchangedSinceMs: 10_000 }]]);
});

test("what others have built is not known, nor what was built long ago", async () => {
  const images = new BuiltImages(() => Promise.resolve(identity));
  await expect(images.versionTag(digest, unrecorded)).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
  images.add(digest, request, 10_000);
  for (let build = 0; build < 100; build++) images.add(`sha256:${build}`, request, 10_000);
  await expect(images.versionTag(digest, unrecorded)).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
});

test("files that have changed leave it to the registry, and other errors stay what they are", async () => {
  const changed = new BuilderError({ code: "CONTEXT_INVALID", message: "a has changed.", details: { path: "a" } });
  const bug = new TypeError("undefined is not a function");
  const versionTag = (error: Error, ...recorded: readonly string[]) => {
    const images = new BuiltImages(() => Promise.reject(error));
    images.add(digest, request, 10_000);
    return images.versionTag(digest, () => Promise.resolve(recorded));
  };
  const message = "what the image was built from is not known: a has changed. Give the tag, or versionTag";
  await expect(versionTag(changed)).rejects.toMatchObject({
    code: "INVALID_OPTIONS",
    message: expect.stringContaining(message) as unknown,
  });
  expect(await versionTag(changed, identity)).toBe("v-1234567812345678");
  await expect(versionTag(bug, identity)).rejects.toBe(bug);
});

test.each([
  [["registry.example.com/a"], undefined, true],
  [["registry.example.com:5000/a"], undefined, true],
  [["registry.example.com/a:1"], undefined, false],
  [["registry.example.com/a:1", "registry.example.com/b"], undefined, true],
  [["registry.example.com/a"], "1", false],
])("destinations %j with version tag %j: whether one is to be found", (destinations, versionTag, needed) => {
  const options = { source: "x", destinations, ...(versionTag === undefined ? {} : { versionTag }) };
  expect(needsVersionTag(options)).toBe(needed);
});
