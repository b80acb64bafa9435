import type { BuildRequest } from "@slipway/core";
import { expect, it } from "vitest";

import { contextArguments } from "./context-arguments.ts";

const commit = "0123456789abcdef0123456789abcdef01234567";
const request = (context: BuildRequest["context"], dockerfileInline?: string) =>
  ({ context, dockerfile: "docker/Dockerfile", dockerfileInline }) as BuildRequest;
const git = (url: string, parts: { ref?: string; subdirectory?: string } = {}) =>
  request({ type: "git", url, ...parts });

it.each([
  [git("https://git.example.com/team/api.git"), ["--context=git://git.example.com/team/api.git"]],
  [
    git("https://git.example.com/api.git", { ref: "v1" }),
    ["--context=git://git.example.com/api.git", "--git=branch=v1"],
  ],
  [git("https://git.example.com/api.git", { ref: commit }), [`--context=git://git.example.com/api.git##${commit}`]],
  [
    git("git://git.example.com/api.git", { ref: "refs/pull/7/head", subdirectory: "app" }),
    ["--context=git://git.example.com/api.git#refs/pull/7/head", "--context-sub-path=app"],
  ],
])("%j is cloned by the executor", (asked, expected) => {
  const { arguments: args, env } = contextArguments(asked);
  expect(args).toEqual([...expected, "--dockerfile=docker/Dockerfile"]);
  expect(env).toEqual({});
});

it("a repository over plain HTTP, with a Dockerfile from here", () => {
  expect(contextArguments(request({ type: "git", url: "http://git.builds.svc/api.git" }, "FROM scratch"))).toEqual({
    arguments: ["--context=git://git.builds.svc/api.git", "--dockerfile=/kaniko/slipway/Dockerfile"],
    env: { GIT_PULL_METHOD: "http" },
  });
});

it.each([
  ["git@git.example.com:team/api.git", /HTTPS only, not by SSH/],
  ["ssh://git@git.example.com/team/api.git", /HTTPS only, not by SSH/],
  ["https://user:secret@git.example.com/api.git", /GIT_TOKEN in envFrom/],
])("%s is refused", (url, message) => {
  expect(() => contextArguments(git(url))).toThrow(message);
});

it("what this process has comes through stdin", () => {
  const { arguments: args } = contextArguments(request({ type: "directory", path: "." }));
  expect(args).toEqual(["--context=tar://stdin", "--dockerfile=/kaniko/slipway/Dockerfile"]);
});
