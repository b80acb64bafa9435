import { runTool } from "./run-command.ts";

process.exitCode = await runTool("eslint", [
  "--max-warnings=0",
  ...(process.argv.length > 2 ? process.argv.slice(2) : ["."]),
]);
