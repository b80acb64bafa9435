import { readdirSync } from "node:fs";
import { join } from "node:path";

import { repositoryRoot, runCommand, runTool } from "./run-command.ts";

/** Builds every package and checks it as npm would publish it. */
async function checkPackages(): Promise<number> {
  const build = await runCommand("pnpm", ["--recursive", "--workspace-concurrency=2", "run", "build"]);
  if (build !== 0) return build;
  let failures = 0;
  for (const folder of readdirSync(join(repositoryRoot, "packages")).sort()) {
    const path = join("packages", folder);
    if ((await runTool("publint", ["--strict", "--pack", "pnpm", path])) !== 0) failures += 1;
    if ((await runTool("attw", ["--profile", "esm-only", "--quiet", "--pack", path])) !== 0) failures += 1;
  }
  return failures === 0 ? 0 : 1;
}

process.exitCode = await checkPackages();
