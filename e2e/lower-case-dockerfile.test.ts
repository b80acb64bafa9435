import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createBuilder } from "slipway";
import { buildkitDriver } from "slipway/buildkit";
import { expect, it } from "vitest";

import { createContextFolder } from "./support/context-folder.ts";
import { createTestNamespace } from "./support/test-namespace.ts";

it("builds what a dockerfile in a folder says, without what its own ignore file names", async () => {
  await using namespace = await createTestNamespace();
  const dockerfile = "FROM scratch\nCOPY files /\n";
  await using context = await createContextFolder({
    "docker/dockerfile": dockerfile,
    "docker/dockerfile.dockerignore": "files/b\n",
    ".dockerignore": "files/a\n",
    "files/a": "a",
    "files/b": "b",
  });
  const directory = await mkdtemp(join(tmpdir(), "slipway-output-"));
  try {
    await using builder = createBuilder({ driver: buildkitDriver(namespace.driverOptions) });
    const outputs = [{ type: "local" as const, directory }];
    await builder.build({ context: context.path, dockerfile: "docker/Dockerfile", outputs }).result();
    expect(await readdir(directory)).toEqual(["a"]);
  } finally {
    await rm(directory, { recursive: true });
  }
});
