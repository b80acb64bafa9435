import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { contextFolder } from "./context-folder.ts";

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "slipway-context-folder-"));
  await writeFile(join(path, "app.Dockerfile.dockerignore"), "of-dockerfile\n");
});
afterEach(() => rm(path, { recursive: true }));

const excluded = (dockerfile: string, dockerfileInline?: string) =>
  contextFolder({ context: { type: "directory", path }, dockerfile, dockerfileInline }).exclude;

it("leaves out what the ignore file of the Dockerfile names, else that of the context, else nothing", async () => {
  expect(excluded("Dockerfile")).toEqual([]);
  await writeFile(join(path, ".dockerignore"), "of-context\n");
  expect(excluded("app.Dockerfile")).toEqual(["of-dockerfile"]);
  expect(excluded("Dockerfile")).toEqual(["of-context"]);
  expect(excluded("app.Dockerfile", "FROM scratch")).toEqual(["of-context"]);
});

it("sends nothing when the ignore file is there and cannot be read", async () => {
  await mkdir(join(path, ".dockerignore"));
  expect(() => excluded("Dockerfile")).toThrow(
    expect.objectContaining({ code: "CONTEXT_INVALID", details: { path: ".dockerignore" } }),
  );
});
