import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { BuildEvent } from "@slipway/core";

/** The events of a recorded build, see README.md beside this file. */
export function recordedBuild(name: "first" | "second" | "failing" | "warning"): BuildEvent[] {
  const text = readFileSync(join(import.meta.dirname, `${name}-build.jsonl`), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as BuildEvent);
}
