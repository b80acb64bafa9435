import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

import { ClusterFailure } from "./failure.ts";

/** A held lock; the kernel releases it too when this process dies, however it dies. */
export interface FileLock extends AsyncDisposable {
  release(): Promise<void>;
}

const lockCommand = "flock";

// Other systems build no more than single programs for benches, and a rename decides there who was first.
const unlocked: FileLock = { release: () => Promise.resolve(), [Symbol.asyncDispose]: () => Promise.resolve() };

/**
 * Takes the exclusive lock on `file`, waiting for its holder. The lock is held by `flock` around a `cat` that reads
 * our pipe: SIGKILL of this process closes the pipe, `cat` ends, and the lock is free. No file contents can go stale.
 */
export async function lockFile(file: string, onWait?: () => void): Promise<FileLock> {
  if (process.platform !== "linux") return unlocked;
  mkdirSync(dirname(file), { recursive: true });
  const child = spawn(lockCommand, ["--exclusive", "--close", file, "sh", "-c", "echo held; exec cat >/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true, // An interrupt from the terminal must not free the lock before this process has ended.
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.stdin.on("error", () => undefined);
  const waiting = setTimeout(() => onWait?.(), 500);
  try {
    await new Promise<void>((resolve, reject) => {
      child.once("error", (cause) => reject(lockFailure(file, cause)));
      child.once("close", () => reject(lockFailure(file)));
      child.stdout.once("data", () => resolve());
    });
  } finally {
    clearTimeout(waiting);
  }
  const release = async (): Promise<void> => {
    child.stdin.end();
    await ended;
  };
  return { release, [Symbol.asyncDispose]: release };
}

function lockFailure(file: string, cause?: unknown): ClusterFailure {
  return new ClusterFailure(`Cannot lock ${file}.`, {
    remedy: "Install util-linux (it brings `flock`), and check that the cache folder is writable.",
    cause,
  });
}

/** Runs `work` while holding the lock on `file`. */
export async function withLock<T>(file: string, work: () => Promise<T>, onWait?: () => void): Promise<T> {
  const lock = await lockFile(file, onWait);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}
