import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createFakeDriver } from "@slipway/testing";
import { createBuilder, type BuilderError, type BuildEvent } from "slipway";
import { afterEach, beforeEach, expect, it } from "vitest";

import { buildOnChange } from "../watch/build-on-change.ts";

let context: string;
beforeEach(async () => {
  context = await mkdtemp(join(tmpdir(), "build-on-change-"));
});
afterEach(() => rm(context, { recursive: true }));

const writeDockerfile = (run: string) => writeFile(join(context, "Dockerfile"), `FROM scratch\nRUN ${run}\n`);

it("gives up a build whose files have changed, and builds what is there now", async () => {
  await writeDockerfile("sleep 600");
  const stop = new AbortController();
  const events: BuildEvent[] = [];
  const errors: BuilderError[] = [];
  const built: string[] = [];
  await using builder = createBuilder({ driver: createFakeDriver(), onEvent: (event) => events.push(event) });
  const image = {
    name: "api",
    context,
    tags: ["registry.example.com/shop/api:dev"],
    onImage: (reference: string) => built.push(reference),
    onError: (error: BuilderError) => errors.push(error),
  };
  const watching = buildOnChange(builder, image, stop.signal);
  await expect.poll(() => events.map(({ type }) => type)).toContain("step-start");

  await writeDockerfile("echo done");
  await expect.poll(() => built, { timeout: 5_000 }).toHaveLength(1);
  stop.abort();
  await expect(watching).rejects.toMatchObject({ code: "ABORTED" });

  expect(events.flatMap((event) => (event.type === "build-end" ? [event.outcome] : []))).toEqual([
    "canceled",
    "succeeded",
  ]);
  expect(errors).toEqual([]);
});
