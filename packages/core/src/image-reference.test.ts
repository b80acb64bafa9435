import { expect, test } from "vitest";

import { imageReferenceProblem } from "./image-reference.ts";

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
  ["a".repeat(64), "image id"],
  [`api@sha256:${"0".repeat(64)}`, "digest"],
])("refuses %s", (reference, reason) => {
  expect(imageReferenceProblem(reference)).toContain(reason);
});
