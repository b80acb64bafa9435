import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import type { BuildRequest } from "./builder-driver.ts";
import { createBuilder } from "./builder.ts";
import { dockerfilePath } from "./dockerfile-path.ts";
import { someDigest, stubDriver } from "./self-test/stub-driver.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-dockerfile-"));
  mkdirSync(join(folder, "sub"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const cases: readonly (readonly [string, readonly string[], string])[] = [
  ["Dockerfile", ["Dockerfile"], "Dockerfile"],
  ["Dockerfile", ["dockerfile"], "dockerfile"],
  ["Dockerfile", ["Dockerfile", "dockerfile"], "Dockerfile"],
  ["Dockerfile", ["sub/dockerfile"], "Dockerfile"],
  ["sub/Dockerfile", ["sub/dockerfile", "Dockerfile"], "sub/dockerfile"],
  ["./sub/../Dockerfile", ["dockerfile"], "./sub/../dockerfile"],
  ["none/Dockerfile", ["dockerfile"], "none/Dockerfile"],
  ["DOCKERFILE", ["dockerfile"], "DOCKERFILE"],
  ["api.Dockerfile", ["api.dockerfile", "dockerfile"], "api.Dockerfile"],
  ["Dockerfile.dev", ["dockerfile.dev", "dockerfile"], "Dockerfile.dev"],
];

test.each(cases)("%s, where there is %j, is %s", (dockerfile, files, path) => {
  for (const file of files) writeFileSync(join(folder, file), "FROM scratch\n");
  expect(dockerfilePath(folder, dockerfile)).toBe(path);
});

test("a driver is told of the Dockerfile as it is spelled, by build and by submit", async () => {
  writeFileSync(join(folder, "sub/dockerfile"), "FROM scratch\n");
  const told: BuildRequest[] = [];
  const build = async (request: BuildRequest) => ({ digest: told.push(request) > 0 ? someDigest : "" });
  const submit = async (request: BuildRequest) => void told.push(request);
  const builder = createBuilder({ driver: { ...stubDriver({ build }), submit } });
  const options = { context: folder, dockerfile: "sub/Dockerfile", tags: ["registry.example.com/team/api:v1"] };
  await builder.build(options).result();
  await builder.submit(options);
  expect(told.map(({ dockerfile }) => dockerfile)).toEqual(["sub/dockerfile", "sub/dockerfile"]);
});
