import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createBuilder } from "@slipway/core";
import { afterEach, expect, test } from "vitest";

import { createFakeDriver } from "./fake-driver.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function contextWith(dockerfile: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fake-driver-"));
  folders.push(folder);
  await writeFile(join(folder, "Dockerfile"), dockerfile);
  return folder;
}

const tags = ["registry.example.com/team/api:v1"];

test("the same files are not built again, wherever they lie", async () => {
  await using builder = createBuilder({ driver: createFakeDriver() });
  const skippedOf = async (dockerfile: string) =>
    (await builder.build({ context: await contextWith(dockerfile), tags, skipIfPresent: true }).result()).skipped;
  expect(await skippedOf("FROM scratch\nRUN echo one\n")).toBeUndefined();
  expect(await skippedOf("FROM scratch\nRUN echo one\n")).toBe(true);
  expect(await skippedOf("FROM scratch\nRUN echo two\n")).toBeUndefined();
});

test("an image is built again when a file was written while it was built", async () => {
  const context = await contextWith("FROM scratch\n");
  const later = Date.now() / 1000 + 60;
  const driver = createFakeDriver({ beforeBuild: () => utimes(join(context, "Dockerfile"), later, later) });
  const warnings: string[] = [];
  await using builder = createBuilder({
    driver,
    onEvent: (event) => event.type === "warning" && warnings.push(event.message),
  });
  const build = async () => builder.build({ context, tags, skipIfPresent: true }).result();
  await build();
  expect(warnings).toEqual([expect.stringContaining("Dockerfile of the build context has changed since the build")]);
  expect((await build()).skipped).toBeUndefined();
});

test("an abort ends the wait of a beforeBuild that takes no notice", async () => {
  const leaving = new AbortController();
  const driver = createFakeDriver({
    beforeBuild: async () => {
      leaving.abort();
      await new Promise(() => undefined);
    },
  });
  await using builder = createBuilder({ driver });
  const run = builder.build({ context: await contextWith("FROM scratch\n"), tags }, { signal: leaving.signal });
  await expect(run.result()).rejects.toMatchObject({ code: "ABORTED" });
  expect(driver.cluster.builds.size).toBe(0);
});

test("what was published is found by its tag and by its digest", async () => {
  await using builder = createBuilder({ driver: createFakeDriver() });
  const { reference, digest } = await builder.build({ context: await contextWith("FROM scratch\n"), tags }).image();
  const destination = "mirror.example.com:5000/team/api";
  await builder.publish({ source: reference, destinations: [`${destination}:v2`] });
  for (const there of [`${destination}:v2`, `${destination}@${digest}`])
    expect(await builder.find(there)).toMatchObject({ digest, reference: `${destination}@${digest}` });
});
