import type { Feature, Operation } from "@slipway/core";

import { ConformanceBench } from "./conformance-bench.ts";
import type { ConformanceHarness } from "./conformance-harness.ts";
import { buildRequirements } from "./requirements/build-requirements.ts";
import { operationRequirements } from "./requirements/operation-requirements.ts";
import { optionRequirements } from "./requirements/option-requirements.ts";
import { publishRequirements } from "./requirements/publish-requirements.ts";
import type { ConformanceRequirement } from "./requirements/requirement.ts";
import { secretRequirements } from "./requirements/secret-requirements.ts";
import { skipRequirements } from "./requirements/skip-requirements.ts";
import { stopRequirements } from "./requirements/stop-requirements.ts";

/** Every requirement, those that tear a builder down last. */
export const conformanceRequirements: readonly ConformanceRequirement[] = [
  ...optionRequirements,
  ...buildRequirements,
  ...skipRequirements,
  ...secretRequirements,
  ...stopRequirements,
  ...publishRequirements,
  ...operationRequirements,
];

/** How a driver did on one requirement. */
export type ConformanceOutcome = Readonly<
  { id: string } & ({ outcome: "passed" | "skipped" } | { outcome: "failed"; error: unknown })
>;

/**
 * Checks one requirement; throws what is wrong.
 * @returns false if the driver does not declare what the requirement is about, or the harness lacks what it takes.
 */
export async function checkRequirement(
  requirement: ConformanceRequirement,
  harness: ConformanceHarness,
): Promise<boolean> {
  return (await checkUnlessSkipped(requirement, harness)) === undefined;
}

/**
 * Checks one requirement; throws what is wrong.
 * @returns why it was not checked; undefined if it was.
 */
export async function checkUnlessSkipped(
  requirement: ConformanceRequirement,
  harness: ConformanceHarness,
): Promise<string | undefined> {
  const { ifHarnessHas, concurrency } = requirement;
  if (ifHarnessHas !== undefined && harness[ifHarnessHas] === undefined)
    return `the harness of ${harness.name} has no ${ifHarnessHas}`;
  await using bench = await ConformanceBench.create(harness, concurrency === undefined ? {} : { concurrency });
  const undeclared = whatIsUndeclared(requirement, bench.builder);
  if (undeclared !== undefined) return `${harness.name} declares ${undeclared}`;
  await requirement.check(bench);
  return undefined;
}

function whatIsUndeclared(
  { ifAnyOf, ifAllOf = [] }: ConformanceRequirement,
  builder: { supports(asked: Feature | Operation): boolean },
): string | undefined {
  const missing = ifAllOf.filter((asked) => !builder.supports(asked));
  if (missing.length > 0) return `no ${missing.join(" and no ")}`;
  if (ifAnyOf === undefined || ifAnyOf.some((asked) => builder.supports(asked))) return undefined;
  return `none of ${ifAnyOf.join(", ")}`;
}

/** Runs the suite without a test runner. */
export async function runConformance(harness: ConformanceHarness): Promise<readonly ConformanceOutcome[]> {
  const outcomes: ConformanceOutcome[] = [];
  for (const requirement of conformanceRequirements) outcomes.push(await outcomeOf(requirement, harness));
  return outcomes;
}

async function outcomeOf(
  requirement: ConformanceRequirement,
  harness: ConformanceHarness,
): Promise<ConformanceOutcome> {
  const { id } = requirement;
  try {
    return { id, outcome: (await checkRequirement(requirement, harness)) ? "passed" : "skipped" };
  } catch (error) {
    return { id, outcome: "failed", error };
  }
}
