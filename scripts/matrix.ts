import { runTool } from "./run-command.ts";

// Where every option was seen: the tests of options, with the page that they compare written anew.
process.exitCode = await runTool("vitest", ["run", "--project=e2e", "e2e/kaniko/kaniko-options.test.ts", "--update"]);
