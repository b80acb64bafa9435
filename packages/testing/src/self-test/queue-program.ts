import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setImmediate as immediate } from "node:timers/promises";

import { createBuilder } from "@slipway/core";

import { createFakeDriver } from "../fake-driver.ts";

/** Queues 200 builds of a driver that reports a lot, nobody reading their events, and prints what that cost as JSON. */
const buildCount = 200;
const context = mkdtempSync(join(tmpdir(), "slipway-queue-"));
writeFileSync(join(context, "Dockerfile"), "FROM scratch\nRUN echo hello\nRUN sleep 0.02\n");

/** As from a connection: some hundred events at a time. */
const driver = createFakeDriver({
  async beforeBuild(_, { emit }) {
    for (let current = 0; current < 1_000; current++) {
      emit({ type: "step-progress", step: "0", task: "extracting", current, total: 1_000 });
      emit({ type: "step-log", step: "0", stream: "stdout", text: `line ${current} of a build that talks a lot\n` });
      if (current % 100 === 0) await immediate();
    }
  },
});

let events = 0;
const delay = monitorEventLoopDelay({ resolution: 1 });
let rssBytes = 0;
const sampler = setInterval(() => (rssBytes = Math.max(rssBytes, process.memoryUsage.rss())), 20);
delay.enable();
const builder = createBuilder({ driver, concurrency: 4, onEvent: () => events++ });
const runs = Array.from({ length: buildCount }, (_, index) =>
  builder.build({ context, tags: [`registry.example.com/team/api:v${index}`] }),
);
const results = await Promise.all(runs.map((run) => run.result()));
delay.disable();
clearInterval(sampler);
await builder.close();
rmSync(context, { recursive: true });
const report = {
  builds: new Set(results.map((result) => result.buildId)).size,
  events,
  p99Ms: delay.percentile(99) / 1e6,
  maxMs: delay.max / 1e6,
  rssBytes,
};
process.stdout.write(JSON.stringify(report));
