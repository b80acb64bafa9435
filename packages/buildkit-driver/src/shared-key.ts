import { createHash } from "node:crypto";
import { basename, resolve } from "node:path";

import type { Context } from "@slipway/core";

/**
 * The key under which BuildKit keeps a context's files between builds. It has to be the same for the same folder in every process, or
 * nothing is incremental, and another one for another folder, or the two send everything each time.
 */
export function sharedKey(context: Context, host: string): string {
  if (context.type !== "directory") return "";
  const path = resolve(context.path);
  const digest = createHash("sha256").update(host).update("\0").update(path).digest("hex").slice(0, 16);
  return `${basename(path)}:${digest}`;
}
