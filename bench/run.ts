import { setTimeout } from "node:timers/promises";

import { exitWithFailure } from "../dev-cluster/src/index.ts";
import { runCommand } from "../scripts/run-command.ts";
import type { BenchCase, PreparedBench, Side } from "./bench-case.ts";
import { benchCases } from "./cases/index.ts";
import { measure, type Measurement } from "./measure.ts";
import { median } from "./statistics.ts";

const settleMs = 1000;

/** Runs both sides in turn, so that whatever else the machine does meets both; the first round only warms up. */
async function compare(bench: BenchCase, prepared: PreparedBench): Promise<Record<Side, readonly Measurement[]>> {
  const results: Record<Side, Measurement[]> = { ours: [], peer: [] };
  for (let round = 0; round <= bench.rounds; round += 1) {
    for (const side of round % 2 === 0 ? (["ours", "peer"] as const) : (["peer", "ours"] as const)) {
      await prepared.before?.(side, round);
      // What the last run left to the daemons (closing, collecting) does not count for this one.
      await setTimeout(settleMs);
      const measurement = await measure(prepared[side]);
      console.error(`  round ${round}${round === 0 ? " (warm-up)" : ""} ${side}: ${measurement.wallMs.toFixed(0)} ms`);
      if (round > 0) results[side].push(measurement);
    }
  }
  return results;
}

function row(name: string, measurements: readonly Measurement[]): string {
  const wall = measurements.map(({ wallMs }) => wallMs);
  const cpuMs = median(measurements.map((measurement) => measurement.cpuMs));
  const peakMb = median(measurements.map(({ peakBytes }) => peakBytes)) / 1e6;
  const range = `${Math.min(...wall).toFixed(0)}..${Math.max(...wall).toFixed(0)}`;
  return `| ${name} | ${median(wall).toFixed(0)} | ${range} | ${cpuMs.toFixed(0)} | ${peakMb.toFixed(0)} |`;
}

function checkPeak(name: string, measurements: readonly Measurement[], goalBytes: number): void {
  const peakBytes = Math.max(...measurements.map((measurement) => measurement.peakBytes));
  console.log(`${name} peak=${(peakBytes / 1e6).toFixed(0)} MB goal=${(goalBytes / 1e6).toFixed(0)} MB`);
  if (peakBytes > goalBytes) process.exitCode = 1;
}

function checkSent(name: string, measurements: readonly Measurement[], peerBytes: number, goal: number): void {
  const sentBytes = Math.max(...measurements.map(({ said }) => Number(said)));
  const ratio = sentBytes / peerBytes;
  console.log(`${name} sent=${ratio.toFixed(4)} goal=${goal} (${sentBytes} of ${peerBytes} bytes)`);
  if (!(ratio <= goal)) process.exitCode = 1;
}

async function runBench(bench: BenchCase): Promise<void> {
  console.log(`${bench.name}: ${bench.description} (n=${bench.rounds}, medians)`);
  await using prepared = await bench.prepare().catch(exitWithFailure);
  const { ours, peer } = await compare(bench, prepared);
  console.log("| | wall ms | min..max | CPU ms | peak MB |\n|---|---|---|---|---|");
  console.log(`${row("slipway", ours)}\n${row(bench.peer, peer)}`);
  const oursMs = median(ours.map(({ wallMs }) => wallMs));
  const peerMs = median(peer.map(({ wallMs }) => wallMs));
  const ratio = bench.budgetMs === undefined ? oursMs / peerMs : (oursMs - peerMs) / bench.budgetMs;
  console.log(`${bench.name} ratio=${ratio.toFixed(3)} goal=${bench.goal}`);
  if (ratio > bench.goal) process.exitCode = 1;
  if (bench.peakGoalBytes !== undefined) checkPeak(bench.name, ours, bench.peakGoalBytes);
  if (bench.sentGoal !== undefined) checkSent(bench.name, ours, prepared.peerSentBytes ?? 0, bench.sentGoal);
}

const [name = ""] = process.argv.slice(2);
const bench = benchCases.find((candidate) => candidate.name === name);
if (bench === undefined) {
  console.error(
    `Usage: npm run bench -- <case>\n${benchCases.map((known) => `  ${known.name}: ${known.description}`).join("\n")}`,
  );
  process.exitCode = 2;
} else if ((await runCommand("pnpm", ["--recursive", "--reporter=silent", "run", "build"])) !== 0) {
  console.error("The packages did not build: run npm run build.");
  process.exitCode = 1;
} else {
  await runBench(bench);
}
