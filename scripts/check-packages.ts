import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { repositoryRoot, runCommand } from "./run-command.ts";

const execute = promisify(execFile);

/** What `pnpm pack --json` says that matters here. */
interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** Packs a package as pnpm publishes it: `publishConfig` applied, the workspace's LICENSE added. */
async function packPackage(folder: string, destination: string): Promise<Packed> {
  const cwd = join(repositoryRoot, "packages", folder);
  const { stdout } = await execute("pnpm", ["pack", "--json", "--pack-destination", destination], { cwd });
  return JSON.parse(stdout) as Packed;
}

/** What is wrong with the files of a package. */
function fileProblems({ files }: Packed): readonly string[] {
  const paths = files.map(({ path }) => path);
  const wanted = ["LICENSE", "README.md", "package.json", "dist/index.js", "dist/index.d.ts"];
  const missing = wanted.filter((path) => !paths.includes(path)).map((path) => `${path} is missing`);
  const surplus = paths.filter((path) => !wanted.includes(path) && !path.startsWith("dist/"));
  return [...missing, ...surplus.map((path) => `${path} does not belong into the package`)];
}

/** Runs a checker of tarballs; undefined when it is content, otherwise what it says. */
async function complaint(tool: string, argv: readonly string[]): Promise<string | undefined> {
  try {
    await execute(join(repositoryRoot, "node_modules", ".bin", tool), argv);
    return undefined;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    return `${tool} refuses it:\n${stdout}${stderr}`;
  }
}

async function checkPackage(folder: string, destination: string): Promise<boolean> {
  const packed = await packPackage(folder, destination);
  const complaints = await Promise.all([
    complaint("publint", ["run", packed.filename, "--strict"]),
    complaint("attw", ["--profile", "esm-only", "--no-definitely-typed", "--format", "ascii", packed.filename]),
  ]);
  const problems = [...fileProblems(packed), ...complaints.filter((text) => text !== undefined)];
  console.log(`packages/${folder}: ${problems.length === 0 ? "ok" : problems.join("\n")}`);
  return problems.length === 0;
}

/** Builds every package and checks it as npm would get it. Resolves with the exit code. */
async function checkPackages(): Promise<number> {
  const build = await runCommand("pnpm", ["--recursive", "--workspace-concurrency=2", "run", "build"]);
  if (build !== 0) return build;
  const destination = await mkdtemp(join(tmpdir(), "slipway-packages-"));
  try {
    const broken: string[] = [];
    for (const folder of (await readdir(join(repositoryRoot, "packages"))).sort()) {
      if (!(await checkPackage(folder, destination))) broken.push(folder);
    }
    return broken.length === 0 ? 0 : 1;
  } finally {
    await rm(destination, { recursive: true, force: true });
  }
}

process.exitCode = await checkPackages();
