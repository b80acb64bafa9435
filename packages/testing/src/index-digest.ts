import { sha256 } from "./sha256.ts";

/** The digest of an index of these platforms. */
export function indexDigest(platforms: readonly Readonly<{ platform: string; digest: string }>[]): string {
  return `sha256:${sha256(JSON.stringify(platforms))}`;
}
