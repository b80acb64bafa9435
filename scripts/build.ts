import { runCommand } from "./run-command.ts";

process.exitCode = await runCommand("pnpm", ["--recursive", "--workspace-concurrency=2", "run", "build"]);
