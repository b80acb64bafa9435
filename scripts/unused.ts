import { runTool } from "./run-command.ts";

process.exitCode = await runTool("knip", ["--no-progress"]);
