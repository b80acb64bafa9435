import assert from "node:assert/strict";
import { setTimeout as elapse } from "node:timers/promises";

import { BuilderError } from "@slipway/core";
import type { DriverEvent } from "@slipway/core";

import type { ConformanceBench } from "../conformance-bench.ts";
import { readEvents, rejection } from "./requirement.ts";
import type { ConformanceRequirement } from "./requirement.ts";

const eventTypes: Readonly<Record<DriverEvent["type"], true>> = {
  "context-progress": true,
  "pod-phase": true,
  "step-start": true,
  "step-progress": true,
  "step-log": true,
  "step-end": true,
  "push-progress": true,
  warning: true,
  "build-retry": true,
};

/** What happens in a build that is left to itself. */
export const buildRequirements: readonly ConformanceRequirement[] = [
  {
    id: "build-succeeds",
    rule: "builds a Dockerfile and ends in one build-end with the result",
    async check(bench) {
      const run = await bench.build("simple");
      const { events, thrown } = await bench.ended(readEvents(run));
      assert.equal(thrown, undefined, `The build failed: ${String(thrown)}`);
      assert.deepEqual(
        events.slice(0, 2).map((event) => event.type),
        ["build-queue", "build-start"],
      );
      const ends = events.filter((event) => event.type === "build-end");
      assert.equal(ends.length, 1, "There must be exactly one build-end");
      const end = events.at(-1);
      assert.ok(
        end?.type === "build-end" && end.outcome === "succeeded",
        "The last event must be a successful build-end",
      );
      assert.deepEqual(end.result, await run.result());
      assert.ok(end.result.steps.length > 0, "A build has at least one step");
    },
  },
  {
    id: "failure-typed",
    rule: "fails a failing Dockerfile with BUILD_FAILED, once, and says which step",
    async check(bench) {
      const run = await bench.build("failing");
      const { events, thrown } = await bench.ended(readEvents(run));
      const error = await rejection(Promise.reject(thrown as Error), "BUILD_FAILED");
      const end = events.at(-1);
      assert.ok(end?.type === "build-end" && end.outcome === "failed", "The last event must be a failed build-end");
      assert.equal(end.error.code, "BUILD_FAILED");
      assert.equal(error.retryable, false, "A Dockerfile that fails would fail again");
      assert.equal(error.driver, bench.driver.name);
      assert.ok(error.details.step ?? error.details.location, "The error must name the step or the line");
      assert.equal(bench.recorder.calls, 1, "A failing Dockerfile must not be tried again");
    },
  },
  {
    id: "silent-after-end",
    rule: "reports nothing after a build has ended",
    async check(bench) {
      await bench.ended((await bench.build("simple")).result());
      await bench.ended(readEvents(await bench.build("failing")));
      await elapse(bench.harness.silenceMs ?? 50);
      assert.deepEqual(
        bench.recorder.lateEvents.map((event) => event.type),
        [],
      );
      assert.equal(bench.events.filter((event) => event.type === "build-end").length, 2);
    },
  },
  {
    id: "events-known",
    rule: "reports only events that a driver may report",
    async check(bench) {
      await runBoth(bench);
      const strange = bench.recorder.events.filter((event) => !Object.hasOwn(eventTypes, event.type));
      assert.deepEqual(strange, []);
    },
  },
  {
    id: "events-plain",
    rule: "reports events that survive JSON unchanged",
    async check(bench) {
      await runBoth(bench);
      assert.deepEqual(JSON.parse(JSON.stringify(bench.events)), bench.events);
    },
  },
  {
    id: "steps-end",
    rule: "ends each step that it starts, once, and logs only for steps under way",
    async check(bench) {
      await runBoth(bench);
      assertStepsEnd(bench);
    },
  },
  {
    id: "digest-served",
    rule: "returns a digest that the registry serves, under every tag",
    async check(bench) {
      const tags = [bench.tag("digest-served"), bench.tag("digest-served-again")];
      // What was built before is there under its digest.
      const labels = { "conformance.served": bench.uniqueName("digest-served") };
      const image = await bench.ended((await bench.build("simple", { tags, labels })).image());
      assert.match(image.digest, /^sha256:[a-f\d]{64}$/);
      for (const reference of [...tags, image.reference])
        assert.equal(
          await bench.harness.resolveDigest(reference),
          image.digest,
          `The registry must serve ${reference}`,
        );
    },
  },
  {
    id: "queue",
    rule: "builds no more at a time than it is given",
    concurrency: 1,
    async check(bench) {
      const options = [await bench.options("simple"), await bench.options("simple"), await bench.options("simple")];
      const runs = options.map((one) => bench.builder.build(one));
      await bench.ended(Promise.all(runs.map((run) => run.result())));
      assert.equal(bench.recorder.mostRunning, 1);
      const positions = bench.events.flatMap((event) => (event.type === "build-queue" ? [event.position] : []));
      assert.deepEqual(positions, [0, 1, 2]);
    },
  },
  {
    id: "parallel",
    rule: "builds several images at a time without mixing up their events",
    concurrency: 3,
    async check(bench) {
      const runs = await Promise.all([bench.build("simple"), bench.build("failing"), bench.build("simple")]);
      const results = await bench.ended(Promise.allSettled(runs.map((run) => run.result())));
      assert.deepEqual(
        results.map((result) => result.status),
        ["fulfilled", "rejected", "fulfilled"],
      );
      const steps = results.flatMap((result) =>
        result.status === "fulfilled" ? [result.value.steps.map((step) => step.name)] : [],
      );
      assert.deepEqual(steps[0], steps[1], "The same Dockerfile has the same steps");
    },
  },
];

/** A build that succeeds and one that fails. */
async function runBoth(bench: ConformanceBench): Promise<void> {
  await bench.ended((await bench.build("simple")).result());
  await bench.ended((await bench.build("failing")).result()).catch((error: unknown) => {
    if (!BuilderError.isInstance(error)) throw error;
  });
}

function assertStepsEnd(bench: ConformanceBench): void {
  const open = new Set<string>();
  for (const event of bench.events) {
    if (!("step" in event)) continue;
    const step = `${event.buildId} ${event.step}`;
    if (event.type === "step-start") {
      assert.ok(!open.has(step), `Step ${step} is started twice`);
      open.add(step);
    } else {
      assert.ok(open.has(step), `Step ${step} has a ${event.type} while it is not under way`);
      if (event.type === "step-end") open.delete(step);
    }
  }
  assert.deepEqual([...open], [], "Steps without an end");
}
