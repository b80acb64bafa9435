import { runTool } from "./run-command.ts";

const check = process.argv.includes("--check");
process.exitCode = await runTool("prettier", [check ? "--check" : "--write", "--log-level=warn", "."]);
