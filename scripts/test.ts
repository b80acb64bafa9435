import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { clusterDown, describeFailure, ensureCluster, readCluster } from "../dev-cluster/src/index.ts";
import { runCommand, runTool } from "./run-command.ts";
import {
  addCounts,
  countCheck,
  countVitest,
  formatCounts,
  noTests,
  type TestCounts,
  type VitestReport,
} from "./test-counts.ts";
import { parseTestArguments, titlePattern, type TestSelection } from "./test-selection.ts";

/** The checks that need neither tests nor a cluster, cheapest first. */
const checks: readonly (readonly [name: string, argv: readonly string[]])[] = [
  ["format", ["scripts/format.ts", "--check"]],
  ["types", ["scripts/typecheck.ts"]],
  ["lint", ["scripts/lint.ts"]],
  ["packages", ["scripts/check-packages.ts"]],
  ["unused code", ["scripts/unused.ts"]],
  ["docs", ["scripts/docs.ts"]],
];

const ci = process.env["CI"] === "true";

function say(line: string): void {
  console.log(`\n── ${line}`);
}

async function runChecks(): Promise<TestCounts> {
  let counts = noTests;
  for (const [name, argv] of checks) {
    say(name);
    const startedMs = performance.now();
    const exitCode = await runCommand(process.execPath, ["--conditions=@slipway/source", ...argv]);
    console.log(
      `${name}: ${exitCode === 0 ? "ok" : `failed with exit code ${exitCode}`} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`,
    );
    counts = addCounts(counts, countCheck(exitCode));
  }
  return counts;
}

async function runVitest(projects: readonly string[], selection: TestSelection): Promise<TestCounts> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-test-"));
  try {
    const outputFile = join(folder, "report.json");
    const argv = [
      "run",
      "--passWithNoTests",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${outputFile}`,
    ];
    argv.push(...projects.map((project) => `--project=${project}`), ...selection.files);
    if (selection.id !== undefined) argv.push("-t", titlePattern(selection.id));
    const exitCode = await runTool("vitest", argv);
    const text = await readFile(outputFile, "utf8").catch(() => undefined);
    if (text === undefined) return exitCode === 0 ? noTests : { ...noTests, failed: 1 };
    return countVitest(JSON.parse(text) as VitestReport, exitCode, selection.id !== undefined);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts the cluster. Where there can be none it says so, and only a run in CI fails for it. */
async function startCluster(): Promise<"up" | "failed" | "absent"> {
  say("cluster");
  try {
    await ensureCluster({ onProgress: (line) => console.log(line) });
    return "up";
  } catch (error) {
    console.error(describeFailure(error));
    return ci || (process.platform === "linux" && process.getuid?.() === 0) ? "failed" : "absent";
  }
}

/** Runs everything, or what the selection names, and resolves with the sum. */
async function runAll(selection: TestSelection): Promise<TestCounts> {
  const everything = selection.id === undefined && selection.files.length === 0;
  const wasUp = readCluster("slipway") !== undefined;
  const counts: TestCounts[] = [];
  if (everything) {
    counts.push(await runChecks());
    say("unit and type tests");
    counts.push(await runVitest(["unit", "types"], selection));
  }
  const cluster = await startCluster();
  if (cluster === "failed") counts.push(countCheck(1));
  if (cluster === "absent") counts.push({ ...noTests, skipped: 1 });
  if (cluster === "up") {
    say("tests on the cluster");
    const groups = everything ? [["conformance", "e2e"], ["waiting"]] : [["unit", "conformance", "e2e", "waiting"]];
    counts.push(...(await Promise.all(groups.map((projects) => runVitest(projects, selection)))));
    if (ci && !wasUp) await clusterDown({});
  }
  return addCounts(...counts);
}

const selection = parseTestArguments(process.argv.slice(2));
const counts = await runAll(selection);
const nothingRan = counts.passed + counts.failed === 0;
if (nothingRan)
  console.error(`No test ran${selection.id === undefined ? "." : `: no title begins with "${selection.id}:".`}`);
console.log(`\n${formatCounts(counts)}`);
process.exitCode = counts.failed > 0 || nothingRan ? 1 : 0;
