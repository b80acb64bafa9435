import { expect, it } from "vitest";

import { expectHiddenPassword, namesWithPasswords, thrownBy } from "./__fixtures__/refused-names.ts";
import { requireBlobName, requireRepository } from "./request-names.ts";

const digest = `sha256:${"a".repeat(64)}`;

it.each(namesWithPasswords)("the password in %s is not repeated", (named) => {
  expectHiddenPassword(() => requireRepository(named));
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
