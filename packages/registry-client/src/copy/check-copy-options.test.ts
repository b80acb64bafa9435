import { BuilderError } from "@slipway/core/errors";
import { expect, it, vi } from "vitest";

import { copyImage } from "./copy-image.ts";
import type { CopyImageOptions } from "./copy-options.ts";

const connect = vi.fn<CopyImageOptions["connect"]>(() => {
  throw new Error("nobody is to be asked");
});
const valid = { source: "a.example.com/x:1", destinations: ["b.example.com/x:1"], connect };

async function issuesOf(options: object): Promise<readonly string[]> {
  const error: unknown = await copyImage(options as CopyImageOptions).catch((thrown: unknown) => thrown);
  if (!BuilderError.isInstance(error) || error.code !== "INVALID_OPTIONS") throw error;
  expect(error.message).toMatch(/^Invalid options for publishing: /);
  return error.details.issues.map(({ path, message }) => `${path}: ${message}`);
}

it.each<[string, object, string]>([
  ["a typo", { ...valid, dryrun: true }, 'dryrun: Unknown key "dryrun", did you mean "dryRun"?'],
  ["a text for a flag", { ...valid, dryRun: "false" }, "dryRun: Must be true or false"],
  ["no source", { ...valid, source: undefined }, "source: Is required"],
  ["a source that is none", { ...valid, source: "foo bar" }, 'source: "foo bar" is no image reference; write registry'],
  ["one destination", { ...valid, destinations: "b.example.com/x:1" }, "destinations: Must be a list"],
  ["no destination", { ...valid, destinations: [] }, "destinations: name at least one"],
  [
    "a destination with a scheme",
    { ...valid, destinations: ["b.example.com/x:1", "https://b.example.com/x:1"] },
    'destinations[1]: "https://b.example.com/x:1" has a scheme; leave it out',
  ],
  ["no connect", { ...valid, connect: undefined }, "connect: Is required"],
  ["a client for connect", { ...valid, connect: {} }, "connect: Must be a function"],
  ["no blob at a time", { ...valid, concurrency: 0 }, "concurrency: Must be a whole number from 1"],
  ["no chunk", { ...valid, chunkBytes: Number.NaN }, "chunkBytes: Must be a whole number from 1"],
  ["no platform", { ...valid, platforms: [] }, "platforms: name at least one, or leave the option out"],
  ["chunks without an end", { ...valid, chunkBytes: Number.POSITIVE_INFINITY }, "chunkBytes: Must be a whole number"],
  ["a platform that is none", { ...valid, platforms: [1] }, "platforms[0]: Must be a string"],
  ["a gate that is none", { ...valid, beforeTag: "scan" }, "beforeTag: Must be a function"],
  [
    "a destination without a tag",
    { ...valid, destinations: ["b.example.com/x"] },
    "destinations[0]: b.example.com/x has no tag, and there is no versionTag",
  ],
  [
    "a digest",
    { ...valid, destinations: [`b.example.com/x@sha256:${"a".repeat(64)}`] },
    "which the source decides; write registry/repository:tag",
  ],
  [
    "a version that is no tag",
    { ...valid, destinations: ["b.example.com/x"], versionTag: "a b" },
    'versionTag: "a b" is no tag',
  ],
  ["a version that is no text", { ...valid, versionTag: 1 }, "versionTag: Must be a string"],
])("%s is refused by the name of the option, and nobody is asked", async (_, options, said) => {
  connect.mockClear();
  expect(await issuesOf(options)).toEqual([expect.stringContaining(said)]);
  expect(connect).not.toHaveBeenCalled();
});

it("all that is wrong is said at once", async () => {
  const options = {
    ...{ source: "foo bar", versionTag: "a b", platforms: [], dryrun: true, connect },
    destinations: [`a.example.com/x@sha256:${"a".repeat(64)}`, "https://b.example.com/y"],
  };
  expect((await issuesOf(options)).map((issue) => issue.split(":")[0])).toEqual([
    "dryrun",
    "source",
    "versionTag",
    "platforms",
    "destinations[0]",
    "destinations[1]",
  ]);
  const untagged = await issuesOf({
    ...valid,
    destinations: ["a.example.com/x", "b.example.com/y:1", "c.example.com/z"],
  });
  expect(untagged.map((issue) => issue.split(":")[0])).toEqual(["destinations[0]", "destinations[2]"]);
});

it.each<[string, object]>([
  ["no limit", { ...valid, concurrency: Number.POSITIVE_INFINITY }],
  ["what is inherited", Object.create(valid) as object],
])("%s is taken", async (_, options) => {
  await expect(copyImage(options as CopyImageOptions)).rejects.toThrow(/nobody is to be asked/);
});

it("explicit undefined is an option that is left out", async () => {
  const absent = {
    ...{ versionTag: undefined, platforms: undefined, referrers: undefined, dryRun: undefined, beforeTag: undefined },
    ...{ createRepository: undefined, onProgress: undefined, warn: undefined, concurrency: undefined },
    chunkBytes: undefined,
  };
  const options: object = { ...valid, ...absent };
  await expect(copyImage(options as CopyImageOptions)).rejects.toThrow(/nobody is to be asked/);
});
