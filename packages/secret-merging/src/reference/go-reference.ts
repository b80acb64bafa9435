import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const source = fileURLToPath(new URL("../../go-reference", import.meta.url));

/** A login as the Go programs found it, in base64. */
export interface GoLogin {
  readonly username: string | null;
  readonly password: string | null;
  readonly identityToken?: string;
  readonly registryToken?: string;
}

/** What the Go programs found. */
export interface GoAnswer {
  readonly failed?: boolean;
  readonly helper?: string;
  readonly logins: readonly GoLogin[];
}

/** Whether Go is here. */
export function hasGo(): boolean {
  return spawnSync("go", ["version"], { stdio: "ignore" }).status === 0;
}

/** Compiles the Go reference, with the cache of Go; resolves with the path of the program. Needs Go and its modules. */
export async function buildGoReference(): Promise<string> {
  const folder = join(process.env["SLIPWAY_CACHE"] ?? join(homedir(), ".cache", "slipway"), "go-reference");
  mkdirSync(folder, { recursive: true });
  const executable = join(folder, "credential-lookup");
  const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOTOOLCHAIN: "local", GOWORK: "off" };
  // The flags of the cluster's own build of Kubernetes: what that has compiled is in the cache.
  const argv = ["build", "-trimpath", "-buildvcs=false", "-o", executable, "."];
  // A first build takes a minute or two, in which the test runner wants to hear of its worker.
  await promisify(execFile)("go", argv, { cwd: source, env });
  return executable;
}

/** Asks the Go reference, some thousand questions at a time. */
export function askGoReference(executable: string, questions: readonly object[]): GoAnswer[] {
  const answers: GoAnswer[] = [];
  for (let start = 0; start < questions.length; start += 5_000) {
    const input = questions.slice(start, start + 5_000).map((question) => `${JSON.stringify(question)}\n`);
    const output = execFileSync(executable, { input: input.join(""), maxBuffer: 2 ** 28, encoding: "utf8" });
    for (const line of output.trimEnd().split("\n")) answers.push(JSON.parse(line) as GoAnswer);
  }
  return answers;
}
