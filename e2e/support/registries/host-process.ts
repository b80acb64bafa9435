import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const startTimeoutMs = 30_000;
const endTimeoutMs = 5_000;

/** A server that runs as a process of this machine; disposing ends it. */
export interface HostProcess extends AsyncDisposable {
  readonly pid: number;
  /** What it has printed so far on both of its outputs. */
  readonly lines: readonly string[];
  /** The first thing that is found in a line, also in one that came already; rejects if the process ends before. */
  find<Found>(look: (line: string) => Found | undefined): Promise<Found>;
}

/** Starts a program that the kernel ends with this process, however it ends. */
export function startHostProcess(argv: readonly string[], env: NodeJS.ProcessEnv = {}): HostProcess {
  const tether = process.platform === "linux" ? ["setpriv", "--pdeathsig", "KILL", "--"] : [];
  const [command = "", ...rest] = [...tether, ...argv];
  const child = spawn(command, rest, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  const lines: string[] = [];
  let wake = Promise.withResolvers<undefined>();
  let isOver = false;
  const stir = (): void => {
    wake.resolve(undefined);
    wake = Promise.withResolvers();
  };
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on("line", (line) => {
      lines.push(line);
      stir();
    });
  }
  const end = (): void => {
    isOver = true;
    stir();
  };
  child.on("error", end).on("close", end);
  return {
    pid: child.pid ?? 0,
    lines,
    find: async (look) => {
      const deadline = AbortSignal.timeout(startTimeoutMs);
      const late = once(deadline, "abort");
      for (let seen = 0; ;) {
        for (; seen < lines.length; seen += 1) {
          const found = look(lines[seen] ?? "");
          if (found !== undefined) return found;
        }
        if (isOver || deadline.aborted) {
          throw new Error(`${argv.join(" ")} ${isOver ? "ended" : "does not say it"}:\n${lines.join("\n")}`);
        }
        await Promise.race([wake.promise, late]);
      }
    },
    [Symbol.asyncDispose]: async () => {
      if (isOver) return;
      const closed = once(child, "close");
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), endTimeoutMs);
      await closed;
      clearTimeout(timer);
    },
  };
}
