import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createFakeDriver } from "@slipway/testing";
import { BuilderError, createBuilder, type BuildEvent } from "slipway";
import { afterEach, beforeEach, expect, it } from "vitest";

import { buildServices } from "../orchestrator/build-services.ts";
import type { Service } from "../orchestrator/services.ts";

let project: string;

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), "build-services-"));
});
afterEach(() => rm(project, { recursive: true }));

async function service(name: string, dockerfile: string, bases: Service["bases"] = {}): Promise<Service> {
  const context = join(project, name);
  await mkdir(context);
  await writeFile(join(context, "Dockerfile"), dockerfile);
  return { name, bases, build: { context, tags: [`registry.example.com/shop/${name}:dev`] } };
}

// #region order
it("builds a service on the image of its base", async () => {
  const driver = createFakeDriver();
  await using builder = createBuilder({ driver });
  const base = await service("base", "FROM scratch\nRUN echo base");
  const api = await service("api", "ARG BASE\nFROM $BASE", { BASE: "base" });

  const images = await buildServices(builder, [base, api], AbortSignal.timeout(5000));

  expect(images.get("api")).toMatch(/^registry\.example\.com\/shop\/api@sha256:/);
  expect(driver.cluster.images.has("registry.example.com/shop/api:dev")).toBe(true);
});
// #endregion order

// #region failure
it("cancels what is still being built when a service fails", async () => {
  const events: BuildEvent[] = [];
  await using builder = createBuilder({ driver: createFakeDriver(), onEvent: (event) => events.push(event) });
  const slow = await service("slow", "FROM scratch\nRUN sleep 600");
  const broken = await service("broken", "FROM scratch\nRUN echo no such file && exit 1");

  const failure = await buildServices(builder, [slow, broken], AbortSignal.timeout(5000)).catch((error: unknown) =>
    BuilderError.from(error),
  );

  expect(failure).toMatchObject({ code: "BUILD_FAILED", details: { exitCode: 1, logTail: "no such file\n" } });
  expect(events.flatMap((event) => (event.type === "build-end" ? [event.outcome] : []))).toEqual([
    "failed",
    "canceled",
  ]);
});
// #endregion failure
