import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { fillExamples } from "./doc-examples.ts";
import { docFiles, readRepositoryFile } from "./doc-files.ts";
import { repositoryRoot, runTool } from "./run-command.ts";

/** Copies the examples into the docs that show them. */
function writeExamples(): void {
  for (const path of docFiles()) {
    const text = readRepositoryFile(path);
    const filled = fillExamples(text, readRepositoryFile);
    if (filled === text) continue;
    writeFileSync(join(repositoryRoot, path), filled);
    console.log(`${path}: examples copied`);
  }
}

// Without the option nothing in the repository changes, so that a test can tell when the docs are behind.
const isWriting = process.argv.includes("--write-examples");
if (isWriting) writeExamples();
else process.exitCode = await runTool("typedoc", process.argv.slice(2));
