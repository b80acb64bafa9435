import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect, test } from "vitest";

interface QueueReport {
  readonly builds: number;
  readonly events: number;
  readonly p99Ms: number;
  readonly rssBytes: number;
}

/** In a process of its own: a test runner's worker has delays and memory that are not ours. */
async function runQueueProgram(): Promise<QueueReport> {
  const program = fileURLToPath(new URL("self-test/queue-program.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=@slipway/source", program]);
  return JSON.parse(stdout) as QueueReport;
}

/** The calmest of up to three runs: whatever else this machine does delays every event loop, ours delays it each time. */
async function calmestRun(): Promise<QueueReport> {
  const reports = [await runQueueProgram()];
  while (reports.length < 3 && reports.every((report) => report.p99Ms > 50)) reports.push(await runQueueProgram());
  return reports.reduce((calmest, report) => (report.p99Ms < calmest.p99Ms ? report : calmest));
}

const title = "QUEUE: 200 queued builds keep the event loop free (p99 at most 50 ms) and the memory at most 400 MB";

test(title, { timeout: 60_000 }, async () => {
  const report = await calmestRun();
  console.log(
    `p99 ${report.p99Ms.toFixed(1)} ms, RSS ${(report.rssBytes / 1e6).toFixed(0)} MB, ${report.events} events`,
  );
  expect(report.builds).toBe(200);
  expect(report.events).toBeGreaterThan(200 * 1_000);
  expect(report.p99Ms).toBeLessThanOrEqual(50);
  expect(report.rssBytes).toBeLessThanOrEqual(400e6);
});
