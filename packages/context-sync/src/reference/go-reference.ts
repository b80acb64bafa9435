import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { DockerignoreCase } from "./dockerignore-cases.ts";
import type { ReferenceAnswers } from "./reference-answers.ts";
import type { ReferenceCases, TreeCase } from "./reference-cases.ts";

const source = fileURLToPath(new URL("../../go-reference", import.meta.url));

/** Whether Go is here. */
export function hasGo(): boolean {
  return spawnSync("go", ["version"], { stdio: "ignore" }).status === 0;
}

/** Compiles the Go reference, with the cache of Go; resolves with the path of the program. Needs Go and its modules. */
export async function buildGoReference(): Promise<string> {
  const folder = join(process.env["SLIPWAY_CACHE"] ?? join(homedir(), ".cache", "slipway"), "go-reference");
  mkdirSync(folder, { recursive: true });
  const executable = join(folder, "path-patterns");
  const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOTOOLCHAIN: "local", GOWORK: "off" };
  const argv = ["build", "-trimpath", "-buildvcs=false", "-o", executable, "."];
  // A first build takes a while, in which the test runner wants to hear of its worker.
  await promisify(execFile)("go", argv, { cwd: source, env });
  return executable;
}

/** Asks the Go reference. The trees stand below `directory`. */
export function askGoReference(executable: string, cases: ReferenceCases, directory: string): ReferenceAnswers {
  const absolute = ({ tree, ...options }: TreeCase): object => ({ root: join(directory, tree), ...options });
  const { ignoreFiles, names, patterns } = cases;
  return ask(executable, {
    ignoreFiles,
    names,
    patterns,
    follows: cases.follows.map(absolute),
    scans: cases.scans.map(absolute),
  }) as ReferenceAnswers;
}

/** Asks the Go reference what `.dockerignore` files ignore, some thousand questions at a time. */
export function askAboutDockerignores(executable: string, cases: readonly DockerignoreCase[]): string[] {
  const answers: string[] = [];
  for (let start = 0; start < cases.length; start += 5_000) {
    const { dockerignores } = ask(executable, { dockerignores: cases.slice(start, start + 5_000) });
    answers.push(...(dockerignores as string[]));
  }
  return answers;
}

function ask(executable: string, input: object): Record<string, unknown> {
  const output = execFileSync(executable, { input: JSON.stringify(input), maxBuffer: 2 ** 28, encoding: "utf8" });
  return JSON.parse(output) as Record<string, unknown>;
}
