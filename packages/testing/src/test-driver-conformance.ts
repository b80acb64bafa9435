import { test } from "vitest";

import type { ConformanceHarness } from "./conformance-harness.ts";
import { checkUnlessSkipped, conformanceRequirements } from "./conformance-suite.ts";

/**
 * Makes one test of each requirement, titled `CONFORMANCE: <name> <rule> [<id>]`. What is about a feature that the driver does not declare
 * shows as skipped, and so does what takes a part of the harness that it lacks.
 */
export function testDriverConformance(harness: ConformanceHarness): void {
  const { name, buildMs = 60_000, abortMs = 10_000 } = harness;
  // The longest requirement starts and kills five builds.
  const timeout = 6 * (buildMs + abortMs);
  for (const requirement of conformanceRequirements)
    test(`CONFORMANCE: ${name} ${requirement.rule} [${requirement.id}]`, { timeout }, async ({ skip }) => {
      const reason = await checkUnlessSkipped(requirement, harness);
      if (reason !== undefined) skip(reason);
    });
}
