import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { ReferenceAnswers } from "./reference-answers.ts";
import type { ReferenceCases, TreeCase } from "./reference-cases.ts";

const source = fileURLToPath(new URL("../../go-reference", import.meta.url));

/** Compiles and asks the Go reference; needs Go and its modules. The trees stand below `directory`. */
export function askGoReference(cases: ReferenceCases, directory: string): ReferenceAnswers {
  const executable = join(directory, "go-reference");
  execFileSync("go", ["build", "-o", executable, "."], { cwd: source, stdio: "inherit" });
  const absolute = ({ tree, ...options }: TreeCase): object => ({ root: join(directory, tree), ...options });
  const { ignoreFiles, names, patterns } = cases;
  const input = {
    ignoreFiles,
    names,
    patterns,
    follows: cases.follows.map(absolute),
    scans: cases.scans.map(absolute),
  };
  const output = execFileSync(executable, { input: JSON.stringify(input), maxBuffer: 2 ** 28, encoding: "utf8" });
  return JSON.parse(output) as ReferenceAnswers;
}
