import { expect, it } from "vitest";

import { requireBlobName, requireRepository } from "./request-names.ts";

function thrownBy(ask: () => unknown): unknown {
  try {
    ask();
    return undefined;
  } catch (error) {
    return error;
  }
}

const digest = `sha256:${"a".repeat(64)}`;

it.each([
  "ann:hunter2@registry.example.com/team/api",
  "ann:hunter2@registry.example.com",
  "hunter2@ghcr.io/team/api:v1",
  "ann:hunter2@registry.example.com:5000",
  "ann:x/hunter2@registry.example.com/team/api",
  "ann:x/hunter2@registry.example.com",
])("the password in %s is not repeated", (named) => {
  const error = thrownBy(() => requireRepository(named));
  expect(error).toMatchObject({ code: "INVALID_OPTIONS", details: { issues: [{ path: "repository" }] } });
  expect(JSON.stringify(error)).toContain("Names a user; leave that out");
  expect(JSON.stringify(error)).not.toContain("hunter2");
});

it.each([undefined, null, 7, {}, { registry: "registry.example.com" }])("%j names no repository", (named) => {
  expect(thrownBy(() => requireRepository(named))).toMatchObject({
    code: "INVALID_OPTIONS",
    details: { issues: [{ path: "repository" }] },
  });
});

it("a digest without a repository, and a repository without a digest, name no blob", () => {
  expect(thrownBy(() => requireBlobName(undefined, digest))).toMatchObject({
    details: { issues: [{ path: "repository", message: "Must be a string" }] },
  });
  expect(thrownBy(() => requireBlobName("app", undefined))).toMatchObject({
    details: { issues: [{ path: "digest", message: "Must be a string" }] },
  });
  expect(thrownBy(() => requireBlobName("app", digest))).toBeUndefined();
});

it("a name of an image where the digest of a blob belongs is quoted without its user", () => {
  expect(thrownBy(() => requireBlobName("app", "ann:x/hunter2@ghcr.io/app"))).toMatchObject({
    details: { issues: [{ path: "digest", message: '"ghcr.io/app" is no digest' }] },
  });
});
