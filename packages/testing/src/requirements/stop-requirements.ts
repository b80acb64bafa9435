import assert from "node:assert/strict";

import type { BuildRun } from "@slipway/core";

import { within } from "../bounded-wait.ts";
import type { ConformanceBench } from "../conformance-bench.ts";
import { rejection } from "./requirement.ts";
import type { ConformanceRequirement } from "./requirement.ts";

type Stop = (bench: ConformanceBench, run: BuildRun, caller: AbortController) => Promise<void>;

/** Every way to end a build before its time. Each resolves when the build is said to be dead. */
const ways: Readonly<Record<string, Stop>> = {
  signal: async (_, run, caller) => {
    caller.abort();
    await run.result().catch(() => undefined);
  },
  cancel: (_, run) => run.cancel("the suite wants it so"),
  break: async (_, run) => {
    for await (const _event of run) break;
  },
  using: async (_, run) => {
    await run[Symbol.asyncDispose]();
  },
  close: (bench) => bench.builder.close(),
};

/** How a build ends before its time. */
export const stopRequirements: readonly ConformanceRequirement[] = [
  {
    id: "abort-kills",
    rule: "kills the remote build before an aborted build settles, however it is stopped, and builds again afterwards",
    async check(bench) {
      await checkDeadline(bench);
      await checkOvertaken(bench);
      for (const [way, stop] of Object.entries(ways)) {
        if (way === "close") await bench.ended((await bench.build("simple")).result());
        const caller = new AbortController();
        const run = await bench.build("slow", {}, { signal: caller.signal });
        await bench.inSlowStep(run.id);
        await bench.stopped(stop(bench, run, caller));
        assert.equal(await bench.harness.isBuildAlive(run.id), false, `After ${way}, the build lives on`);
        await rejection(run.result(), "ABORTED");
      }
    },
  },
  {
    id: "abort-before-start",
    rule: "is not asked to build what was aborted before",
    async check(bench) {
      const run = await bench.build("simple", {}, { signal: AbortSignal.abort("too late") });
      const error = await rejection(run.result(), "ABORTED");
      assert.equal(error.details.reason, "too late");
      assert.equal(bench.recorder.calls, 0);
    },
  },
  {
    id: "close-twice",
    rule: "is closed with its builder, and nothing is built afterwards",
    async check(bench) {
      await bench.ended((await bench.build("simple")).result());
      await bench.stopped(Promise.all([bench.builder.close(), bench.builder.close()]));
      await rejection((await bench.build("simple")).result(), "ABORTED");
      assert.equal(bench.recorder.calls, 1);
    },
  },
];

async function checkDeadline(bench: ConformanceBench): Promise<void> {
  const timeoutMs = bench.harness.deadlineMs ?? 1_000;
  const run = await bench.build("slow", {}, { timeoutMs });
  const error = await rejection(within(run.result(), timeoutMs + bench.abortMs, "the deadline"), "TIMEOUT");
  assert.equal(error.driver, bench.driver.name);
  assert.equal(await bench.harness.isBuildAlive(run.id), false, "After the deadline, the build lives on");
}

/** By a later build of the same image, which begins only when the earlier one is dead. */
async function checkOvertaken(bench: ConformanceBench): Promise<void> {
  const name = "overtaken";
  const run = await bench.build("slow", { name });
  await bench.inSlowStep(run.id);
  const later = await bench.build("simple", { name, supersedes: "image" });
  const error = await rejection(bench.stopped(run.result()), "ABORTED");
  assert.equal(error.details.supersededBy, later.id);
  assert.equal(await bench.harness.isBuildAlive(run.id), false, "Overtaken, the build lives on");
  await bench.ended(later.result());
}
