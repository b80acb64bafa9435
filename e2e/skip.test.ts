import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { createBuilder, type BuildOptions } from "slipway";
import { buildkitDriver } from "slipway/buildkit";
import { afterAll, expect, it } from "vitest";

import { createKanikoNamespace } from "./kaniko/kaniko-namespace.ts";
import type { SkipProgramOptions, SkipReport } from "./skip/skip-program.ts";
import { createContextFolder, type ContextFolder } from "./support/context-folder.ts";
import { recordPods } from "./support/object-record.ts";
import { createTestNamespace, type TestNamespace } from "./support/test-namespace.ts";

const fileCount = 20_000;
const limitMs = 1_000;

const kaniko = await createKanikoNamespace();
const privileged = await createTestNamespace();
afterAll(async () => {
  await kaniko[Symbol.asyncDispose]();
  await privileged[Symbol.asyncDispose]();
});

/** A build in a process of its own, whose hashes of files are kept. */
async function buildElsewhere(options: SkipProgramOptions): Promise<SkipReport> {
  const argv = ["--conditions=@slipway/source", join(import.meta.dirname, "skip/skip-program.ts")];
  const { stdout } = await promisify(execFile)(process.execPath, [...argv, JSON.stringify(options)]);
  return JSON.parse(stdout) as SkipReport;
}

/** The quickest of up to six, none of which may make a pod: whatever else this machine does slows each process, what we do slows all of them. */
async function skipAgain(namespace: TestNamespace, options: SkipProgramOptions): Promise<SkipReport> {
  using record = await recordPods(namespace);
  const reports: SkipReport[] = [];
  while (reports.length < 6 && reports.every(({ durationMs }) => durationMs > limitMs))
    reports.push(await buildElsewhere(options));
  expect(await record.made()).toEqual([]);
  for (const report of reports) expect(report.skipped).toBe(true);
  return reports.reduce((quickest, report) => (report.durationMs < quickest.durationMs ? report : quickest));
}

async function manyFiles(base: string): Promise<ContextFolder> {
  const files = Object.fromEntries(
    Array.from({ length: fileCount }, (_, index) => [`src/dir-${index % 100}/file-${index}`, `content ${index}\n`]),
  );
  return createContextFolder({ ...files, Dockerfile: `FROM ${base}\nCOPY src/dir-7 /src\n` });
}

function isQuickSkip(report: SkipReport, first: SkipReport): void {
  console.log(`skipped in ${report.durationMs.toFixed(0)} ms`);
  expect(report).toMatchObject({ skipped: true, digest: first.digest, warnings: [], platforms: ["linux/amd64"] });
  expect(report.events).toEqual(["build-queue", "build-start", "build-skip", "build-end"]);
  expect(report.durationMs).toBeLessThanOrEqual(limitMs);
}

const kanikoTitle = `SKIP: kaniko answers for ${fileCount} unchanged files in at most ${limitMs} ms and makes no pod`;

it(kanikoTitle, { timeout: 180_000 }, async () => {
  const { namespace, driverOptions } = kaniko;
  await using context = await manyFiles(namespace.testCluster.bases.busybox);
  const build: BuildOptions = { context: context.path, tags: [`${namespace.repository}:v1`], skipIfPresent: true };
  const options = { driver: { kaniko: driverOptions }, build };
  const first = await buildElsewhere(options);
  expect(first.skipped).toBe(false);
  isQuickSkip(await skipAgain(namespace, options), first);

  await context.write("src/dir-7/file-7", "changed");
  const second = await buildElsewhere(options);
  expect(second.skipped).toBe(false);
  expect(second.digest).not.toBe(first.digest);
});

const buildkitTitle = `SKIP: BuildKit answers for ${fileCount} unchanged files in at most ${limitMs} ms and makes no pod, also while no builder runs`;

it(buildkitTitle, { timeout: 180_000 }, async () => {
  const { driverOptions, repository, testCluster } = privileged;
  await using context = await manyFiles(testCluster.bases.busybox);
  const build: BuildOptions = { context: context.path, tags: [`${repository}:v1`], skipIfPresent: true };
  const options = { driver: { buildkit: driverOptions }, build };
  const first = await buildElsewhere(options);
  expect(first.skipped).toBe(false);
  isQuickSkip(await skipAgain(privileged, options), first);

  await using builder = createBuilder({ driver: buildkitDriver(driverOptions) });
  await builder.stop();
  isQuickSkip(await skipAgain(privileged, options), first);

  await context.write("src/dir-7/file-7", "changed");
  const second = await buildElsewhere(options);
  expect(second.skipped).toBe(false);
  expect(second.digest).not.toBe(first.digest);
});

it("SKIP: an absent tag, a platform that is missing and a tag that was moved are built; what cannot be asked is an error of find", async () => {
  const { driverOptions, repository, testCluster, name } = privileged;
  await using context = await createContextFolder({
    Dockerfile: `FROM ${testCluster.bases.busybox}\nRUN echo hello\n`,
  });
  await using builder = createBuilder({ driver: buildkitDriver(driverOptions) });
  const build = async (tag: string, changes: Partial<BuildOptions> = {}) => {
    const tags = [`${repository}/facts:${tag}`];
    return builder.build({ context: context.path, tags, skipIfPresent: true, ...changes }).result();
  };
  const built = await build("a");
  expect(built.skipped).toBeUndefined();
  expect((await build("a")).skipped).toBe(true);
  expect((await build("absent")).skipped).toBeUndefined();
  // The daemon has all of it in its cache, so that the image is the same one.
  expect((await build("absent")).image?.digest).toBe(built.image?.digest);

  const [tag = ""] = built.image?.tags ?? [];
  const found = await builder.find(tag, { platforms: ["linux/amd64"] });
  expect(found).toMatchObject({ digest: built.image?.digest, reference: built.image?.reference });
  expect(found?.identities).toHaveLength(1);
  expect(await builder.find(tag, { platforms: ["linux/arm64"] })).toBeUndefined();
  expect(await builder.find(`${repository}/facts:never`)).toBeUndefined();

  await build("a", { skipIfPresent: false, labels: { moved: "by somebody else" } });
  const again = await build("a");
  expect(again.skipped).toBeUndefined();
  expect(again.image?.digest).toBe(built.image?.digest);

  const nowhere = `nowhere.${name}.svc:5000/team/api:v1`;
  await expect(builder.find(nowhere)).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
});
