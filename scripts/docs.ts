import { runTool } from "./run-command.ts";

process.exitCode = await runTool("typedoc", process.argv.slice(2));
