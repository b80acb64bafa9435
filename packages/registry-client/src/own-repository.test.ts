import { BuilderError } from "@slipway/core/errors";
import { expect, it } from "vitest";

import { expectHiddenPassword, namesWithPasswords, thrownBy } from "./__fixtures__/refused-names.ts";
import { ownRepository } from "./own-repository.ts";

const registry = "registry.example.com";

it.each([
  ["app", "app"],
  ["team/api", "team/api"],
  ["registry.example.com/team/api", "team/api"],
  ["registry.example.com/team/api:v1", "team/api"],
  [`registry.example.com/team/api:v1@sha256:${"a".repeat(64)}`, "team/api"],
  ["registry.example.com/docker.io/library/busybox", "docker.io/library/busybox"],
])("%s is the repository %s", (named, repository) => {
  expect(ownRepository(registry, named)).toBe(repository);
});

it("a repository that is called like a registry is meant by a reference", () => {
  const repository = "docker.io/library/busybox";
  expect(ownRepository(registry, { registry, repository })).toBe(repository);
  expect(ownRepository(registry, { registry, repository: "registry.example.com/app", tag: "1" })).toBe(
    "registry.example.com/app",
  );
});

it("Docker Hub has its images of one name below library, and takes both its names", () => {
  expect(ownRepository("docker.io", "docker.io/busybox")).toBe("library/busybox");
  expect(ownRepository("docker.io", "index.docker.io/team/api")).toBe("team/api");
  expect(ownRepository("index.docker.io", "index.docker.io/team/api")).toBe("team/api");
  expect(ownRepository("index.docker.io", { registry: "docker.io", repository: "team/api" })).toBe("team/api");
  expect(ownRepository("docker.io", { registry: "index.docker.io", repository: "team/api" })).toBe("team/api");
});

it.each([
  ["Team/API", /^Invalid options for checkPush: repository: "Team\/API" has upper case letters; write them in lower/],
  ["team/API", /"team\/API" has upper case letters/],
  ["registry.example.com/team/API", /has upper case letters in its repository/],
  ["team/api:v1", /"team\/api:v1" has a tag or a digest; write "team\/api"/],
  [
    "ghcr.io/team/api:v1",
    /is not a repository of registry\.example\.com; ask a client of ghcr\.io, or give \{ registry: "registry\.example\.com", repository: "ghcr\.io\/team\/api" \}/,
  ],
  ["registry.example.com:5000/team/api", /ask a client of registry\.example\.com:5000\.$/],
  ["localhost/app", /ask a client of localhost/],
  ["https://registry.example.com/team/api", /has a scheme; leave it out/],
  ["", /"" is no repository; write its path/],
  ["team//api", /is no repository/],
  ["../v2/_catalog", /"\.\.\/v2\/_catalog" is no image reference; write registry\/repository:tag/],
  ["team/api?x=1", /is no repository/],
  ["a".repeat(256), /is no repository/],
])("%j is refused", (named, message) => {
  expect(() => ownRepository(registry, named)).toThrow(BuilderError);
  expect(() => ownRepository(registry, named)).toThrow(message);
});

it.each(namesWithPasswords)("the password in %s is not repeated", (named) => {
  expectHiddenPassword(() => ownRepository(registry, named));
});

it.each([
  ["busybox@md5:abc", '"busybox@md5:abc" has a tag or a digest; write "busybox"'],
  ["busybox@v1", '"…@v1" has a tag or a digest; write its path alone, such as "team/api"'],
  ["ann:hunter2@ghcr", '"…@ghcr" has a tag or a digest; write its path alone'],
  ["hunter2/x@ghcr", '"…@ghcr" has a tag or a digest; write its path alone'],
  ["ann:x/hunter2@ghcr", '"…@ghcr" is no image reference'],
  ["Ann/hunter2@ghcr", '"…@ghcr" is no repository'],
])("%s may have no user, so that none is blamed, and none is shown", (named, message) => {
  const error = thrownBy(() => ownRepository(registry, named));
  expect(error).toMatchObject({ message: expect.stringContaining(message) as string });
  expect(JSON.stringify(error)).not.toContain("hunter2");
});

it.each([undefined, null, 7, {}, { registry }])("%j names no repository", (named) => {
  expect(thrownBy(() => ownRepository(registry, named))).toMatchObject({
    code: "INVALID_OPTIONS",
    details: { issues: [{ path: "repository" }] },
  });
});

it.each([
  [{ registry, repository: "Team/API" }, /upper case/],
  [{ registry: "ghcr.io", repository: "team/api" }, /ghcr\.io\/team\/api is not an image of registry\.example\.com/],
])("the reference %j is refused", (named, message) => {
  expect(() => ownRepository(registry, named)).toThrow(message);
});
