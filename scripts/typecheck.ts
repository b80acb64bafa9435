import { runTool } from "./run-command.ts";

// One program over everything is faster than one per package, since they share their dependencies.
process.exitCode = await runTool("tsc", ["--noEmit", "-p", "tsconfig.json"]);
