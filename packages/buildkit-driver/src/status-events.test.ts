import type { StatusUpdate, Vertex } from "@slipway/buildkit-client";
import type { DriverEvent } from "@slipway/core";
import { expect, it } from "vitest";

import { contextProgress, StatusEvents } from "./status-events.ts";

async function collect(allowed = Promise.resolve()): Promise<{ events: DriverEvent[]; status: StatusEvents }> {
  const events: DriverEvent[] = [];
  const status = new StatusEvents((event) => events.push(event), allowed);
  await Promise.allSettled([allowed]);
  return { events, status };
}

function update(...vertices: Partial<Vertex>[]): StatusUpdate {
  const whole = vertices.map((vertex) => ({
    digest: "sha256:1",
    inputs: [],
    name: "[1/2] RUN true",
    cached: false,
    ...vertex,
  }));
  return { vertices: whole, progress: [], logs: [], warnings: [] };
}

it("reports a step once, however often its vertex comes", async () => {
  const { events, status } = await collect();
  for (const vertex of [
    {},
    { startedMs: 1 },
    { startedMs: 1 },
    { startedMs: 1, completedMs: 2 },
    { startedMs: 1, completedMs: 2 },
  ]) {
    status.update(update(vertex));
  }
  status.end();
  expect(events).toEqual([
    { type: "step-start", step: "sha256:1", name: "[1/2] RUN true", timeMs: 1 },
    { type: "step-end", step: "sha256:1", cached: false, timeMs: 2 },
  ]);
});

it("starts a step that is seen only at its end", async () => {
  const { events, status } = await collect();
  status.update(update({ startedMs: 3, completedMs: 3, cached: true }));
  expect(events.map(({ type }) => type)).toEqual(["step-start", "step-end"]);
  expect(events[1]).toMatchObject({ cached: true });
});

it("ends what a cut build left open", async () => {
  const { events, status } = await collect();
  status.update(update({ startedMs: 1 }));
  status.end();
  expect(events[1]).toMatchObject({ type: "step-end", step: "sha256:1", cached: false });
});

it("reads the platform out of the name", async () => {
  const { events, status } = await collect();
  status.update(update({ name: "[linux/arm64 build 2/5] RUN make", startedMs: 1 }));
  expect(events[0]).toMatchObject({ platform: "linux/arm64" });
});

it.each([
  ["context", ["src"], true],
  ["context-lib", [], true],
  ["context", [".dockerignore"], false],
  ["dockerfile", ["Dockerfile"], false],
])("counts the walk through %s of %j as context: %s", (name, paths, expected) => {
  const transfer = {
    id: 0,
    name,
    paths,
    files: 1,
    totalBytes: 2,
    sentFiles: 1,
    sentBytes: 2,
    wireBytes: 9,
    done: true,
  };
  expect(contextProgress(transfer) !== undefined).toBe(expected);
});

it("reports nothing of a build that was not allowed", async () => {
  const { events, status } = await collect(Promise.reject(new Error("refused")));
  status.update(update({ startedMs: 1 }));
  status.end();
  expect(events).toEqual([]);
});

it("reports what came before the build was allowed, once it is", async () => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const events: DriverEvent[] = [];
  const status = new StatusEvents((event) => events.push(event), promise.then());
  status.update(update({ startedMs: 1 }));
  expect(events).toEqual([]);
  resolve(undefined);
  await expect.poll(() => events.map(({ type }) => type)).toEqual(["step-start"]);
});
