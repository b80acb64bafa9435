import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { packContext } from "@slipway/context-sync";
import type { Context } from "@slipway/core";
import { expect, it, onTestFinished } from "vitest";

import { readDockerfile } from "./read-dockerfile.ts";

async function contextsOf(files: readonly string[]): Promise<readonly Context[]> {
  const path = await mkdtemp(join(tmpdir(), "slipway-"));
  onTestFinished(() => rm(path, { recursive: true }));
  for (const file of files) {
    await mkdir(dirname(join(path, file)), { recursive: true });
    await writeFile(join(path, file), `FROM ${file}\n`);
  }
  return [
    { type: "directory", path },
    { type: "tar", read: () => packContext(path) },
  ];
}

it.each<[readonly string[], string, string | undefined]>([
  [["Dockerfile", "other"], "Dockerfile", "Dockerfile"],
  [["dockerfile"], "Dockerfile", "dockerfile"],
  [["sub/dockerfile"], "sub/Dockerfile", "sub/dockerfile"],
  [["app.dockerfile"], "App.Dockerfile", undefined],
  [["other"], "Dockerfile", undefined],
])("in a context of %j, %s is %s", async (files, dockerfile, found) => {
  for (const context of await contextsOf(files)) {
    const text = readDockerfile({ context, dockerfile, dockerfileInline: undefined });
    if (found !== undefined) expect(await text).toBe(`FROM ${found}\n`);
    else
      await expect(text).rejects.toMatchObject({
        code: "CONTEXT_INVALID",
        details: { path: expect.stringContaining(dockerfile) as string },
      });
  }
});
