import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../dev-cluster/src/main.ts", import.meta.url));

/** A running cluster command. */
export interface ClusterCommand {
  readonly child: ChildProcess;
  /** Everything that it printed so far. */
  output(): string;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** Starts `npm run cluster -- …` without npm in between, so that a signal meets the command itself. */
export function startClusterCommand(words: readonly string[], env: NodeJS.ProcessEnv = {}): ClusterCommand {
  const child = spawn(process.execPath, [main, ...words], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const ended = new Promise<number | string>((resolve) =>
    child.once("exit", (code, signal) => resolve(code ?? signal ?? "?")),
  );
  return { child, ended, output: () => text };
}

/** Runs a command to its end and throws with its output unless it ends with 0. */
export async function runClusterCommand(...words: string[]): Promise<string> {
  const command = startClusterCommand(words);
  const code = await command.ended;
  if (code !== 0) throw new Error(`cluster ${words.join(" ")} ended with ${code}:\n${command.output()}`);
  return command.output();
}
