/**
 * The suite that every driver passes. A driver's own test gives {@link testDriverConformance} a harness of about twenty lines.
 *
 * @packageDocumentation
 */
export { testDriverConformance } from "./test-driver-conformance.ts";
export { checkRequirement, conformanceRequirements, runConformance } from "./conformance-suite.ts";
export type { ConformanceOutcome } from "./conformance-suite.ts";
export type { ConformanceDockerfiles, ConformanceHarness } from "./conformance-harness.ts";
export type { ConformanceRequirement } from "./requirements/requirement.ts";
export type { ConformanceBench } from "./conformance-bench.ts";
