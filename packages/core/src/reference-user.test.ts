import { expect, test } from "vitest";

import { namesUser, quoteReference } from "./reference-user.ts";

const digest = `sha256:${"a".repeat(64)}`;

test.each([
  ["ann:hunter2@registry.example.com/app:1", '"registry.example.com/app:1"'],
  ["hunter2@registry.example.com/app", '"registry.example.com/app"'],
  ["ann:hunter2@registry/app", '"registry/app"'],
  ["ann:hun/ter2@registry.example.com/app", '"registry.example.com/app"'],
  ["ann:hun/ter2@registry.example.com", '"registry.example.com"'],
  ["ann:hunter2@registry.example.com", '"registry.example.com"'],
  ["ann:hunter2@registry.example.com:v1", '"registry.example.com:v1"'],
  ["ann:hunter2@registry:5000", '"registry:5000"'],
  ["ann:hunter2@localhost", '"localhost"'],
  ["ann:hunter2@127.0.0.1", '"127.0.0.1"'],
  ["ann:hunter2@[::1]", '"[::1]"'],
  ["ann:hunter2@[::1]:5000/app", '"[::1]:5000/app"'],
  ["ann:hun@ter2@registry.example.com/app", '"registry.example.com/app"'],
  [`ann:${digest}@hunter2@registry.example.com/app`, '"registry.example.com/app"'],
  [`ann:hunter2@registry.example.com/app@${digest}`, `"registry.example.com/app@${digest}"`],
  ["ann:hun/ter2@registry.example.com/app@sha256:abc", '"registry.example.com/app@sha256:abc"'],
  [`ann:hunter2@registry.example.com:${"a".repeat(40)}`, `"registry.example.com:${"a".repeat(40)}"`],
  ["ann:hunter2@sha256.example.com:5000", '"sha256.example.com:5000"'],
  ["https://ann:hun/ter2@registry.example.com/app", '"https://registry.example.com/app"'],
  ["hunter2://@registry.example.com/app", '"registry.example.com/app"'],
])("%s has a user, who is not quoted", (text, quoted) => {
  expect([namesUser(text), quoteReference(text)]).toEqual([true, quoted]);
});

test.each([
  "",
  "busybox",
  "localhost:5000/app:v1",
  `busybox@${digest}`,
  `registry.example.com:5000/app:v1@${digest}`,
  "busybox@md5:abcdef",
  `busybox@SHA256:${"a".repeat(64)}`,
  "busybox@sha256:0",
  "busybox@sha512-256:abc:def",
  `busybox@sha256+b64u.x:${"a".repeat(64)}`,
  `busybox@${digest}@${digest}`,
  `registry.example.com/app@tarsum.v1+sha256:${"a".repeat(64)}`,
  "registry.example.com/team/api:v1@latest",
  `registry.example.com/team/api@${"a".repeat(64)}`,
  "@team/app",
  digest,
])("%j has no user, and is quoted as it is", (text) => {
  expect([namesUser(text), quoteReference(text)]).toEqual([false, JSON.stringify(text)]);
});

test.each([
  ["busybox@latest", '"…@latest"'],
  ["busybox@v1.36.1", '"…@v1.36.1"'],
  ["ann:hunter2@registry", '"…@registry"'],
  ["ann:hun/ter2@registry", '"…@registry"'],
  ["ann:hunter2@registry:abc", '"…@registry:abc"'],
  [`ann:hunter2@registry:${"a".repeat(40)}`, `"…@registry:${"a".repeat(40)}"`],
  [`ann:hunter2@registry@${digest}`, `"…@registry@${digest}"`],
  ["ann:hunter2@", '"…@"'],
])("whether %s has a user is open, so that it is not said, and what may be one is not quoted", (text, quoted) => {
  expect([namesUser(text), quoteReference(text)]).toEqual([false, quoted]);
});

test("a long name is cut after its user is taken out", () => {
  const password = "hunter2".repeat(100);
  expect(quoteReference(`ann:${password}@registry.example.com/app`)).toBe('"registry.example.com/app"');
  expect(quoteReference("a".repeat(300))).toBe(`"${"a".repeat(300)}"`);
  expect(quoteReference("a".repeat(301))).toBe(`"${"a".repeat(300)}…"`);
});
