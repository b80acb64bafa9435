import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";

/** How a child process ended, and how much memory it had. */
export interface WatchedChild {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
  /** The highest of the samples. */
  readonly largestRssBytes: number;
  readonly sampleCount: number;
}

const sampleMs = 100;

async function rssBytes(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** Runs a TypeScript file in a process of its own and samples its resident memory every 100 ms, from outside. */
export async function runWatchedChild(
  file: string,
  environment: Readonly<Record<string, string>>,
): Promise<WatchedChild> {
  const child = spawn(process.execPath, ["--conditions=@slipway/source", file], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let largestRssBytes = 0;
  let sampleCount = 0;
  const sampler = setInterval(() => {
    void rssBytes(child.pid ?? 0).then((bytes) => {
      if (bytes === undefined) return;
      sampleCount += 1;
      largestRssBytes = Math.max(largestRssBytes, bytes);
    });
  }, sampleMs);
  try {
    const exit = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
    const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
    return { stdout, stderr, exitCode, largestRssBytes, sampleCount };
  } finally {
    clearInterval(sampler);
  }
}
