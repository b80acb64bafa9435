import { createHash } from "node:crypto";

import type { FakeImageContent } from "./fake-cluster.ts";

/** The digest of an index of these platforms. */
export function indexDigest(platforms: FakeImageContent["platforms"]): string {
  return `sha256:${createHash("sha256").update(JSON.stringify(platforms)).digest("hex")}`;
}
