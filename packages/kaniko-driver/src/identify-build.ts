import { createHash } from "node:crypto";

import { identify } from "@slipway/context-sync";

import type { KanikoBuildRequest } from "./build-plan.ts";
import type { KanikoBuildOptions } from "./kaniko-options.ts";

/** Of kaniko's own options those that decide what is in the image; caches, logs and the like do not. */
const decisive = ["snapshotMode", "useNewRun", "singleSnapshot", "reproducible", "args"] as const;

/**
 * One hash of all that a build is made of: what `identify` of `slipway/context` says, unless options of kaniko change the image.
 *
 * @param driver - The options that a build's own go before.
 * @throws BuilderError INVALID_OPTIONS, CONTEXT_INVALID
 */
export async function identifyBuild(
  request: KanikoBuildRequest,
  driver: KanikoBuildOptions,
  options: { readonly unchangedSinceMs?: number } = {},
): Promise<string> {
  const identity = await identify(request, options);
  const chosen = decisive.flatMap((key) => [driver[key], request.kaniko[key]]);
  if (chosen.every((value) => value === undefined || (Array.isArray(value) && value.length === 0))) return identity;
  return `sha256:${createHash("sha256")
    .update(JSON.stringify([identity, chosen]))
    .digest("hex")}`;
}
