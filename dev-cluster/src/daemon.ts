import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";

import type { Cgroups } from "./cgroups.ts";
import { type ProcessIdentity, identifyProcess } from "./process-identity.ts";

/** What a daemon needs besides its command. */
export interface DaemonOptions {
  readonly cgroups: Cgroups;
  readonly logFile: string;
  readonly env: NodeJS.ProcessEnv;
  /** Called when the process writes to its file descriptor 3. */
  readonly onReady?: () => void;
}

// Waits for one line before it becomes the program: if we die before the process is in its group, it ends by itself.
const waitThenRun = 'read -r go || exit 1; exec "$@" </dev/null';

/**
 * Starts a process that outlives this one. It runs only once it is in the cluster's control group, so that a later
 * command finds it however early this one is killed.
 */
export async function startDaemon(argv: readonly string[], options: DaemonOptions): Promise<ProcessIdentity> {
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = openSync(options.logFile, "a");
  const child = spawn("sh", ["-c", waitThenRun, "sh", ...argv], {
    detached: true,
    env: options.env,
    stdio: ["pipe", log, log, options.onReady ? "pipe" : "ignore"],
  });
  closeSync(log);
  await spawned(child);
  const pid = child.pid ?? 0;
  options.cgroups.join(pid);
  const identity = identifyProcess(pid);
  child.stdin?.end("go\n");
  if (options.onReady) listenOnce(child, options.onReady);
  child.unref();
  if (!identity) throw new Error(`${argv.join(" ")} ended before it began; see ${options.logFile}.`);
  return identity;
}

function spawned(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => child.once("spawn", () => resolve()).once("error", reject));
}

/** The pipe is closed after the first message: the daemon keeps its end open and would keep this process running. */
function listenOnce(child: ChildProcess, onReady: () => void): void {
  const ready = child.stdio[3];
  ready?.on("error", () => undefined);
  ready?.once("data", () => {
    onReady();
    ready.destroy();
  });
}
