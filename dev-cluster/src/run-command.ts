import { type SpawnOptions, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";

import { ClusterFailure } from "./failure.ts";

/** How to run one command to its end. */
export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string | AsyncIterable<Uint8Array>;
  /** Output goes into this file (appended) and its end into the error; without it, output is returned. */
  readonly logFile?: string;
  readonly remedy?: string;
}

/** Runs a command that dies when this process dies, and returns its standard output. Throws when it ends other than 0. */
export function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  return execute(argv, argv, options);
}

async function execute(argv: readonly string[], shown: readonly string[], options: CommandOptions): Promise<string> {
  const { code, stdout, stderr } = await runToEnd(tethered(argv), shown, options);
  if (code === 0) return stdout;
  const detail = (options.logFile ? tail(options.logFile) : stderr || stdout).trim();
  throw new ClusterFailure(`\`${describe(shown)}\` ended with ${code}:\n${detail.slice(-2000)}`, {
    remedy: options.remedy ?? "Mend what the output says, then run the command again: it continues where it stopped.",
    logFile: options.logFile,
  });
}

/**
 * Runs a command whose children may outlive it (the `go` command starts compilers) in a pid namespace of its own, so
 * that the kernel ends all of them when this process dies.
 */
export function runContained(argv: readonly string[], options: CommandOptions): Promise<string> {
  const isRoot = process.getuid?.() === 0;
  return execute(isRoot ? ["unshare", "--pid", "--fork", "--kill-child", "--", ...argv] : argv, argv, options);
}

/** Prefixes a command such that the kernel sends it SIGKILL when this process dies, however it dies. */
function tethered(argv: readonly string[]): readonly string[] {
  return process.platform === "linux" ? ["setpriv", "--pdeathsig", "KILL", "--", ...argv] : argv;
}

function describe(argv: readonly string[]): string {
  const text = argv.join(" ");
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function tail(file: string): string {
  return readFileSync(file, "utf8").split("\n").slice(-25).join("\n");
}

interface Outcome {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

async function runToEnd(argv: readonly string[], shown: readonly string[], options: CommandOptions): Promise<Outcome> {
  const log = options.logFile === undefined ? undefined : openLog(options.logFile, shown);
  try {
    return await new Promise<Outcome>((resolve, reject) => start(argv, options, log, resolve, reject));
  } finally {
    if (log !== undefined) closeSync(log);
  }
}

function start(
  argv: readonly string[],
  options: CommandOptions,
  log: number | undefined,
  resolve: (outcome: Outcome) => void,
  reject: (error: unknown) => void,
): void {
  const output = log ?? "pipe";
  const settings: SpawnOptions = { stdio: [options.input === undefined ? "ignore" : "pipe", output, output] };
  if (options.cwd !== undefined) settings.cwd = options.cwd;
  if (options.env !== undefined) settings.env = options.env;
  const child = spawn(argv[0] ?? "", argv.slice(1), settings);
  const text = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (text.stdout += chunk));
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (text.stderr += chunk));
  child.on("error", reject);
  child.on("close", (code, signal) => resolve({ code: code ?? signal ?? "no code", ...text }));
  if (child.stdin && options.input !== undefined) feed(child.stdin, options.input).catch(reject);
}

async function feed(stdin: NodeJS.WritableStream, input: string | AsyncIterable<Uint8Array>): Promise<void> {
  // A child that ends early closes its end: its exit code tells more than EPIPE.
  const closed = new Promise<void>((resolve) => stdin.once("error", () => resolve()).once("close", () => resolve()));
  if (typeof input === "string") {
    stdin.end(input);
    return;
  }
  for await (const chunk of input) {
    if (!stdin.writable) return;
    if (!stdin.write(chunk)) await Promise.race([closed, new Promise<void>((resolve) => stdin.once("drain", resolve))]);
  }
  stdin.end();
}

function openLog(file: string, argv: readonly string[]): number {
  mkdirSync(dirname(file), { recursive: true });
  const log = openSync(file, "a");
  writeSync(log, `$ ${argv.join(" ")}\n`);
  return log;
}
