import { inspect } from "node:util";

import { expect, test } from "vitest";

import { createBuilder } from "./builder.ts";
import { imageReferenceProblem, repositoryOf } from "./image-reference.ts";
import { contextFolder, someDigest, stubDriver } from "./self-test/stub-driver.ts";

test.each([
  "api",
  "team/api:v1",
  "registry.example.com/team/api:v1",
  "registry.example.com:5000/api",
  "localhost:5000/a/b/c:latest",
  "127.0.0.1:5000/a:b",
  "[2001:db8::1]:5000/api:v1",
  "a/b__c-d.e--f:V1_2.3-x",
  `api:${"a".repeat(128)}`,
  `registry.example.com:5000/${"a/".repeat(127)}b`,
])("takes %s", (reference) => {
  expect(imageReferenceProblem(reference)).toBeUndefined();
});

test.each([
  ["", "Is empty"],
  ["registry.example.com/Team/api", "lower case"],
  ["https://registry.example.com/api", "scheme"],
  ["api:", "no valid image reference"],
  ["api:v1:v2", "no valid image reference"],
  ["-api", "no valid image reference"],
  ["a//b", "no valid image reference"],
  ["a b", "no valid image reference"],
  [`api:${"a".repeat(129)}`, "no valid image reference"],
  [`${"a/".repeat(130)}b`, "more than 255"],
  [`registry.example.com:5000/${"a/".repeat(128)}b`, "more than 255"],
  ["a".repeat(64), "image id"],
  [`api@sha256:${"0".repeat(64)}`, "digest"],
])("refuses %s", (reference, reason) => {
  expect(imageReferenceProblem(reference)).toContain(reason);
});

const digest = `sha256:${"0".repeat(64)}`;

test.each([`api@${digest}`, `registry.example.com:5000/team/api:v1@${digest}`, "api:v1"])(
  "takes %s where a digest is welcome",
  (reference) => {
    expect(imageReferenceProblem(reference, { mayHaveDigest: true })).toBeUndefined();
  },
);

test.each(["api@sha256:0", "api@", `api@${digest}@${digest}`])("takes %s nowhere", (reference) => {
  expect(imageReferenceProblem(reference, { mayHaveDigest: true })).toContain("no valid image reference");
});

test.each([
  ["api", "api"],
  ["localhost:5000/a/b:latest", "localhost:5000/a/b"],
  ["registry.example.com:5000/api", "registry.example.com:5000/api"],
  [`[2001:db8::1]:5000/api:v1@${digest}`, "[2001:db8::1]:5000/api"],
])("%s is an image of the repository %s", (reference, repository) => {
  expect(repositoryOf(reference)).toBe(repository);
});

const builder = createBuilder({
  driver: {
    ...stubDriver(),
    publish: async () => ({ digest: someDigest, references: [], sentBytes: 0, mountedBytes: 0, skippedBytes: 0 }),
    find: async () => undefined,
  },
});
const context = contextFolder();
const source = "registry.example.com/app:1";

test.each([
  ["a tag", (name: string) => builder.build({ context, tags: [name] }).result()],
  ["the source", (name: string) => builder.publish({ source: name, destinations: [source] })],
  ["a destination", (name: string) => builder.publish({ source, destinations: [name] })],
  ["a cache", (name: string) => builder.build({ context, cacheFrom: [name] }).result()],
  [
    "an image to export a cache to",
    (name: string) => {
      return builder.build({ context, cacheTo: [{ type: "registry", reference: name }] }).result();
    },
  ],
  [
    "an image as a context",
    (name: string) => {
      return builder.build({ context, contexts: { base: `docker-image://${name}` } }).result();
    },
  ],
  ["an image to find", (name: string) => builder.find(name)],
])("the password in %s is not shown", async (_what, ask) => {
  for (const [name, reason] of [
    ["ann:hunter2@registry.example.com/app:1", '"registry.example.com/app:1" has a user before it; leave that out'],
    ["ann:x/hunter2@registry.example.com/app", '"registry.example.com/app" has a user before it'],
    ["https://ann:x/hunter2@registry.example.com/app", '"https://registry.example.com/app" has a user before it'],
    ["ann:x@hunter2@localhost:5000", '"localhost:5000" has a user before it'],
    ["ann:x/hunter2@registry", '"…@registry" is no valid image reference'],
  ] as const) {
    const error: unknown = await ask(name).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "INVALID_OPTIONS", message: expect.stringContaining(reason) as string });
    expect(`${JSON.stringify(error)} ${inspect(error, { depth: null })}`).not.toContain("hunter2");
  }
});
