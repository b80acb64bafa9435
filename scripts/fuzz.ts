import { parseArgs } from "node:util";

import { runTool } from "./run-command.ts";

/** The differential tests, each with where it is. Their originals are programs in Go. */
const targets: Readonly<Record<string, { readonly id: string; readonly file: string }>> = {
  keyring: { id: "KEYRING", file: "packages/secret-merging/src/reference/credential-lookup.test.ts" },
  "docker-lookup": { id: "DOCKER-LOOKUP", file: "packages/secret-merging/src/reference/credential-lookup.test.ts" },
  dockerignore: { id: "IGNORE-DIFF", file: "packages/context-sync/src/reference/ignore-diff.test.ts" },
  reference: { id: "REFERENCE", file: "packages/registry-client/src/image-reference.test.ts" },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { cases: { type: "string", default: "100000" }, seed: { type: "string" } },
});
const names = positionals.length === 0 ? Object.keys(targets) : positionals;
const seed = values.seed ?? String(Date.now() % 2 ** 31);
process.env["SLIPWAY_CASES"] = values.cases;
process.env["SLIPWAY_SEED"] = seed;
process.env["SLIPWAY_GO_REFERENCE"] = "live";
for (const name of names) {
  const target = targets[name];
  if (target === undefined) throw new Error(`Unknown target "${name}". Targets: ${Object.keys(targets).join(", ")}.`);
  console.log(`${name}: --cases ${values.cases} --seed ${seed}`);
  const argv = ["run", "--project=unit", target.file, "-t", `(^|> )${target.id}:`];
  if ((await runTool("vitest", argv)) !== 0) process.exitCode = 1;
}
