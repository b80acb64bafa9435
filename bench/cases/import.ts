import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import type { BenchCase } from "../bench-case.ts";

const packagesFolder = resolve(import.meta.dirname, "../../packages");

/** What it costs a process to import a built package, over importing an empty module. */
function importCase(name: string, folder: string, budgetMs: number): BenchCase {
  return {
    name,
    description: `import of ${folder} in a process of its own, against a budget of ${budgetMs} ms over an empty module`,
    peer: "empty module",
    budgetMs,
    goal: 1,
    rounds: 21,
    prepare: async () => {
      const temporary = await mkdtemp(join(tmpdir(), "slipway-import-"));
      const empty = join(temporary, "empty.js");
      const importing = join(temporary, "importing.js");
      await writeFile(join(temporary, "package.json"), '{ "type": "module" }');
      await writeFile(empty, "");
      await writeFile(importing, `import ${JSON.stringify(join(packagesFolder, folder, "dist/index.js"))};\n`);
      return {
        ours: { argv: [process.execPath, importing] },
        peer: { argv: [process.execPath, empty] },
        [Symbol.asyncDispose]: () => rm(temporary, { recursive: true, force: true }),
      };
    },
  };
}

/** The facade, which most tools import. */
export const importSlipway = importCase("import", "slipway", 40);

/** What every driver imports. */
export const importCore = importCase("import-core", "core", 25);
