import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface PodmanCall {
  readonly signal: AbortSignal;
  /** Text for stdin. */
  readonly input?: string | undefined;
  readonly onLine?: (line: string) => void;
}

/** What a run of podman left behind. */
export interface PodmanExit {
  readonly exitCode: number;
  /** The end of stderr. */
  readonly stderr: string;
}

/** Runs podman and resolves when its process is gone, killed or not. */
export async function runPodman(program: string, argv: readonly string[], call: PodmanCall): Promise<PodmanExit> {
  const child = spawn(program, argv, { stdio: ["pipe", "pipe", "pipe"] });
  const kill = (): void => void child.kill("SIGTERM");
  call.signal.addEventListener("abort", kill);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-4096)));
  createInterface({ input: child.stdout }).on("line", (line) => call.onLine?.(line));
  child.stdin.on("error", () => undefined).end(call.input);
  try {
    if (call.signal.aborted) kill();
    const [exitCode] = (await once(child, "close")) as [number | null];
    return { exitCode: exitCode ?? 1, stderr };
  } finally {
    call.signal.removeEventListener("abort", kill);
  }
}
