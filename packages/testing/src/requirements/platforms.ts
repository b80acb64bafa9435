import type { ConformanceHarness } from "../conformance-harness.ts";

/** No builder has it, and nobody builds for it. */
export const otherPlatform = "linux/s390x";

/** The two that images for several platforms are built for. */
export function platformsOf({ platforms = ["linux/amd64", "linux/arm64"] }: ConformanceHarness): readonly string[] {
  return platforms;
}
