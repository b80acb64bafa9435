import type { StandardSchemaV1 } from "@standard-schema/spec";

import { buildOptionsSchema } from "./build-options.ts";
import type { BuildOptions, ResolvedBuildOptions } from "./build-options.ts";
import { BuilderError } from "./builder-error.ts";
import type { BuildRequest, BuilderDriver } from "./builder-driver.ts";
import { missingFeatures } from "./feature.ts";
import type { Feature } from "./feature.ts";
import type { Operation } from "./operation.ts";
import { invalidOptions } from "./invalid-options.ts";
import { validateOptions } from "./parse-options.ts";
import type { OptionIssue } from "./invalid-options.ts";

/** What a build is to do, and what there is to say about how it was asked for. */
export interface CreatedRequest {
  readonly request: BuildRequest;
  readonly warnings: readonly string[];
}

/**
 * Parses what was asked of `build` or `submit`, with the keys that the driver adds, and checks that the driver can do all of it.
 * @throws `INVALID_OPTIONS`, `UNSUPPORTED_FEATURE`
 */
export function createBuildRequest(input: unknown, id: string, driver: BuilderDriver): CreatedRequest {
  const { options, own, warnings } = parseBuildOptions(input, driver);
  const missing = missingFeatures(options, driver.features);
  if (missing.length > 0) throw unsupportedFeatures(driver.name, missing, driver.limitations);
  return { request: { ...options, ...own, id, name: options.name ?? options.tags[0] ?? id }, warnings };
}

interface ParsedOptions {
  readonly options: ResolvedBuildOptions;
  readonly own: object;
  readonly warnings: readonly string[];
}

function parseBuildOptions(input: unknown, driver: BuilderDriver): ParsedOptions {
  const schemas = Object.entries<StandardSchemaV1>(driver.buildOptions ?? {});
  const issues: OptionIssue[] = [];
  const own: Record<string, unknown> = {};
  for (const [key, schema] of schemas) {
    const result = validateOptions(schema, (input as Record<string, unknown> | undefined)?.[key] ?? {}, {
      prefix: [key],
    });
    if (result.issues === undefined) own[key] = result.value;
    else issues.push(...result.issues);
  }
  const names = schemas.map(([key]) => key);
  const given = withoutKeys(input, names);
  const isReadable = issues.length === 0 && typeof given === "object" && given !== null;
  const folded = isReadable ? driver.foldOptions?.(given as BuildOptions, own) : undefined;
  const common = validateOptions(buildOptionsSchema, folded?.options ?? given, { furtherKeys: names });
  if (common.issues === undefined && issues.length === 0)
    return { options: common.value, own, warnings: folded?.warnings ?? [] };
  throw invalidOptions("build", [...(common.issues ?? []), ...issues]);
}

function withoutKeys(input: unknown, keys: readonly string[]): unknown {
  if (typeof input !== "object" || input === null) return input;
  return Object.fromEntries(Object.entries(input).filter(([key]) => !keys.includes(key)));
}

/** The error for what a driver does not declare. */
export function unsupportedFeatures(
  driver: string,
  features: readonly (Feature | Operation)[],
  limitations: Readonly<Record<string, string | undefined>> = {},
): BuilderError<"UNSUPPORTED_FEATURE"> {
  const list = features.join(", ");
  const reasons = [...new Set(features.flatMap((feature) => limitations[feature] ?? []))];
  const because = reasons.map((reason) => ` ${reason}.`).join("");
  return new BuilderError({
    code: "UNSUPPORTED_FEATURE",
    message: `The driver "${driver}" does not support ${list}.${because} Leave it out or choose a driver that does; nothing was started.`,
    details: { features },
    driver,
  });
}
