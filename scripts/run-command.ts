import { spawn } from "node:child_process";
import { resolve } from "node:path";

/** The repository's root folder. */
export const repositoryRoot = resolve(import.meta.dirname, "..");

/** Runs a program in the repository's root, with its output shown. Resolves with its exit code. */
export function runCommand(file: string, argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  return new Promise((settle, reject) => {
    const child = spawn(file, argv, { cwd: repositoryRoot, stdio: "inherit", env: { ...process.env, ...env } });
    child.once("error", reject);
    child.once("exit", (code) => settle(code ?? 1));
  });
}

/** Runs a program that an installed package brings. */
export function runTool(tool: string, argv: readonly string[], env?: NodeJS.ProcessEnv): Promise<number> {
  return runCommand(resolve(repositoryRoot, "node_modules", ".bin", tool), argv, env);
}
