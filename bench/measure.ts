import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** A program to measure, from its start to its end. */
export interface Command {
  readonly argv: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** What the line of its output begins with that stops the clock: cleaning up behind it does not count. @defaultValue its end stops the clock */
  readonly stopsAt?: string;
}

/** What one run of a program took, children that it waited for included. */
export interface Measurement {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
  /** What the line that stopped the clock said further. */
  readonly said?: string | null;
}

/**
 * Runs a command and measures it from outside. Node cannot read the resource usage of one child, Python can.
 *
 * @throws Error with the end of the command's output when it fails: a figure of a failed run means nothing.
 */
export async function measure(command: Command): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-bench-"));
  const output = join(folder, "output");
  try {
    const script = join(import.meta.dirname, "measure.py");
    const env = { ...process.env, ...command.env };
    const { stdout } = await promisify(execFile)("python3", [script, output, command.stopsAt ?? "", ...command.argv], {
      env,
    });
    const { exitCode, ...measurement } = JSON.parse(stdout) as Measurement & { exitCode: number };
    if (exitCode === 0) return measurement;
    const text = await readFile(output, "utf8");
    throw new Error(`${command.argv.join(" ")} ended with exit code ${exitCode}:\n${text.slice(-4000)}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
