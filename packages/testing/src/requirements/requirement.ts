import assert from "node:assert/strict";

import { BuilderError } from "@slipway/core";
import type { AnyBuilderError, BuildEvent, BuildRun, BuilderErrorCode, Feature, Operation } from "@slipway/core";

import type { ConformanceBench } from "../conformance-bench.ts";

/** One rule that every driver keeps, and how to find out. */
export interface ConformanceRequirement {
  /** Stands in the title of its test. */
  readonly id: string;
  /** Completes the sentence "a driver …". */
  readonly rule: string;
  /** Skipped for a driver that declares none of these; without a list, it binds every driver. */
  readonly ifAnyOf?: readonly (Feature | Operation)[];
  /** Skipped for a driver that declares not all of these. */
  readonly ifAllOf?: readonly (Feature | Operation)[];
  /** Skipped for a harness without this. */
  readonly ifHarnessHas?: "otherTag";
  /** Options of the builder for this requirement. */
  readonly concurrency?: number;
  /** Throws what is wrong. */
  readonly check: (bench: ConformanceBench) => Promise<void>;
}

/** The error that a promise rejects with, which must have this code. */
export async function rejection<Code extends BuilderErrorCode>(
  promise: Promise<unknown>,
  code: Code,
): Promise<Extract<AnyBuilderError, { code: Code }>> {
  const error: unknown = await promise.then(
    () => assert.fail(`Succeeded, although ${code} was due`),
    (thrown: unknown) => thrown,
  );
  if (error instanceof assert.AssertionError || !BuilderError.isInstance(error)) throw error;
  assert.equal(error.code, code, `Failed with ${error.code} instead of ${code}: ${error.message}`);
  return error as Extract<AnyBuilderError, { code: Code }>;
}

/** Every event of a run, and what its iteration threw in the end. */
export async function readEvents(run: BuildRun): Promise<{ events: readonly BuildEvent[]; thrown: unknown }> {
  const events: BuildEvent[] = [];
  try {
    for await (const event of run) events.push(event);
  } catch (thrown) {
    return { events, thrown };
  }
  return { events, thrown: undefined };
}
