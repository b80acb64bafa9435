import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { BuilderDriver } from "../builder-driver.ts";

/** A digest of nothing in particular. */
export const someDigest = `sha256:${"a1".repeat(32)}`;

/** A driver that returns a digest at once; `changes` replace what a test is about. */
export function stubDriver(changes: Partial<BuilderDriver> = {}): BuilderDriver {
  return {
    specificationVersion: "v1",
    name: "stub",
    features: [],
    build: async () => ({ digest: someDigest }),
    ...changes,
  };
}

/** A `build` that ends only when its signal fires. */
export const untilAborted: BuilderDriver["build"] = (_, { signal }) =>
  new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener("abort", () => reject(signal.reason as Error));
  });

/** A folder with a Dockerfile. */
export function contextFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "slipway-core-"));
  writeFileSync(join(folder, "Dockerfile"), "FROM scratch\n");
  return folder;
}
