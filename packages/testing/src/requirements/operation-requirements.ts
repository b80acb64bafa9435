import assert from "node:assert/strict";

import type { BuildOptions, BuildRun, BuilderStatus } from "@slipway/core";

import { waitFor } from "../bounded-wait.ts";
import type { ConformanceBench } from "../conformance-bench.ts";
import { readEvents, rejection } from "./requirement.ts";
import type { ConformanceRequirement } from "./requirement.ts";

/** What a driver does beside `build`. */
export const operationRequirements: readonly ConformanceRequirement[] = [
  {
    id: "bootstrap",
    rule: "can be made ready more than once, and then says that it runs",
    async check(bench) {
      await bench.ended(bench.builder.bootstrap());
      assertRunning(await bench.ended(bench.builder.bootstrap()));
      assertRunning(await bench.ended(bench.builder.status()));
    },
  },
  {
    id: "attach-watches",
    rule: "leaves a submitted build alone when whoever follows it lets go",
    ifAnyOf: ["attach"],
    async check(bench) {
      const id = await submitted(bench, await bench.options("slow"));
      await bench.inSlowStep(id);
      const watch = attach(bench, id);
      await bench.ended(firstStep(watch));
      await rejection(watch.result(), "ABORTED");
      assert.equal(await bench.harness.isBuildAlive(id), true, "The build died with its watcher");
    },
  },
  {
    id: "attach-from-the-start",
    rule: "follows a submitted build from its first event to its result",
    ifAnyOf: ["attach"],
    async check(bench) {
      const id = await submitted(bench, await bench.options("simple"));
      const watch = attach(bench, id);
      const { events, thrown } = await bench.ended(readEvents(watch));
      assert.equal(thrown, undefined, `The build failed: ${String(thrown)}`);
      assert.ok(
        events.some((event) => event.type === "step-start"),
        "The first steps are missing",
      );
      assert.match((await watch.image()).digest, /^sha256:/);
    },
  },
  {
    id: "cancel-by-id",
    rule: "lists a submitted build, and kills it by its id",
    ifAnyOf: ["cancel"],
    async check(bench) {
      const id = await submitted(bench, await bench.options("slow"));
      await bench.inSlowStep(id);
      const listed = await bench.ended(bench.builder.builds?.() ?? Promise.resolve([]));
      assert.equal(listed.find((build) => build.id === id)?.state, "running");
      await bench.stopped(bench.builder.cancel?.(id) ?? Promise.resolve());
      assert.equal(await bench.harness.isBuildAlive(id), false, "The build lives on");
      if (bench.builder.supports("attach")) await cancelWhileWatching(bench);
    },
  },
  {
    id: "unknown-build",
    rule: "knows no build that nobody started: BUILD_NOT_FOUND",
    ifAnyOf: ["attach"],
    async check(bench) {
      const error = await rejection(
        bench.ended(attach(bench, "00000000-0000-4000-8000-000000000000").result()),
        "BUILD_NOT_FOUND",
      );
      assert.equal(error.details.buildId, "00000000-0000-4000-8000-000000000000");
    },
  },
  {
    id: "disk-usage",
    rule: "says what it keeps, and keeps less after a prune",
    ifAnyOf: ["prune", "diskUsage"],
    async check(bench) {
      await bench.ended((await bench.build("simple")).result());
      // A driver whose cache is elsewhere may prune what it has left behind, and keep nothing to measure.
      const usage = () =>
        bench.builder.supports("diskUsage") ? bench.builder.diskUsage() : Promise.resolve(undefined);
      const before = await bench.ended(usage());
      const pruned = bench.builder.supports("prune") ? await bench.ended(bench.builder.prune()) : undefined;
      const after = await bench.ended(usage());
      if (before !== undefined && after !== undefined && pruned !== undefined)
        assert.ok(after.totalBytes <= before.totalBytes, "A prune must not make the cache larger");
      if (pruned !== undefined) assert.ok(pruned.reclaimedBytes >= 0);
    },
  },
  {
    id: "stop-and-start",
    rule: "builds again after it was stopped",
    ifAnyOf: ["stop"],
    async check(bench) {
      await bench.ended(bench.builder.bootstrap());
      await bench.ended(bench.builder.stop?.() ?? Promise.resolve());
      assert.notEqual((await bench.ended(bench.builder.status())).state, "running");
      await bench.ended((await bench.build("simple")).result());
    },
  },
  {
    id: "remove-and-start",
    rule: "can be removed more than once, and builds again afterwards",
    ifAnyOf: ["remove"],
    async check(bench) {
      await bench.ended(bench.builder.bootstrap());
      await bench.ended(bench.builder.remove?.({ keepState: true }) ?? Promise.resolve());
      await bench.ended(bench.builder.remove?.() ?? Promise.resolve());
      assert.equal((await bench.ended(bench.builder.status())).state, "inactive");
      await bench.ended((await bench.build("simple")).result());
    },
  },
];

function assertRunning(status: BuilderStatus): void {
  assert.equal(status.state, "running");
  assert.deepEqual(JSON.parse(JSON.stringify(status)), status);
}

/** Starts a build that outlives its process, or, with a driver that cannot, one that stands in for it. */
async function submitted(bench: ConformanceBench, options: BuildOptions): Promise<string> {
  if (bench.builder.supports("submit")) return (await bench.ended(bench.builder.submit(options))).id;
  const run = bench.builder.build(options);
  await waitFor(async () => bench.harness.isBuildAlive(run.id), bench.buildMs, "the build to run");
  return run.id;
}

function attach(bench: ConformanceBench, id: string) {
  return bench.builder.attach?.(id) ?? assert.fail("The driver has no attach");
}

async function firstStep(watch: BuildRun): Promise<void> {
  for await (const event of watch) if (event.type === "step-start") return;
}

async function cancelWhileWatching(bench: ConformanceBench): Promise<void> {
  const id = await submitted(bench, await bench.options("slow"));
  await bench.inSlowStep(id);
  const watch = attach(bench, id);
  await bench.stopped(watch.cancel());
  assert.equal(await bench.harness.isBuildAlive(id), false, "The build lives on after its watcher has canceled it");
  await rejection(watch.result(), "ABORTED");
}
