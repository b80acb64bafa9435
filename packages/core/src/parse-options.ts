import type { StandardSchemaV1 } from "@standard-schema/spec";

import en from "zod/v4/locales/en.js";
import * as z from "zod/mini";

import { BuilderError } from "./builder-error.ts";
import type { OptionIssue } from "./invalid-options.ts";
import { invalidOptions } from "./invalid-options.ts";
import { knownKeys } from "./known-keys.ts";
import { typosFirst, unknownKeyMessage } from "./unknown-key.ts";

/**
 * Parses options with a schema, strictly and at once.
 * @param what Whose options these are, for the message: `createBuilder`, `buildkitDriver`.
 * @throws `INVALID_OPTIONS` with every issue; an unknown key names the nearest one that there is.
 */
export function parseOptions<Schema extends StandardSchemaV1>(
  schema: Schema,
  input: unknown,
  what: string,
): StandardSchemaV1.InferOutput<Schema> {
  const result = validateOptions(schema, input);
  if (result.issues !== undefined) throw invalidOptions(what, result.issues);
  return result.value;
}

/** Where a value stands among the options that are validated. */
interface Position {
  readonly prefix?: readonly PropertyKey[];
  /** Keys that are known beside those of the schema, for the hint. */
  readonly furtherKeys?: readonly string[];
}

type Validated<Value> =
  { readonly value: Value; readonly issues?: undefined } | { readonly issues: readonly OptionIssue[] };

/** What a schema says about a value, with paths written as text. */
export function validateOptions<Schema extends StandardSchemaV1>(
  schema: Schema,
  input: unknown,
  position: Position = {},
): Validated<StandardSchemaV1.InferOutput<Schema>> {
  const result = validate(schema, input);
  if (result instanceof Promise) {
    const thrown = `The schema of ${formatPath(position.prefix ?? [])} validates asynchronously`;
    throw new BuilderError({
      code: "INTERNAL",
      message: `${thrown}, but options are parsed at once. Make it synchronous.`,
      details: { thrown },
    });
  }
  if (result.issues === undefined) return { value: result.value };
  return { issues: typosFirst(result.issues.flatMap((issue) => optionIssues(schema, input, position, issue))) };
}

const english = en().localeError;

/** zod/mini comes without texts, so every schema of zod gets those of English; a foreign one has its own. */
function validate(schema: StandardSchemaV1, input: unknown): ReturnType<StandardSchemaV1["~standard"]["validate"]> {
  if (!isZodSchema(schema)) return schema["~standard"].validate(input);
  const { data, error } = z.safeParse(schema, input, { error: english });
  return error === undefined ? { value: data } : { issues: error.issues };
}

function isZodSchema(schema: unknown): schema is z.core.$ZodType {
  return typeof schema === "object" && schema !== null && "_zod" in schema;
}

function optionIssues(
  schema: unknown,
  input: unknown,
  position: Position,
  issue: StandardSchemaV1.Issue,
): OptionIssue[] {
  const path = (issue.path ?? []).map((segment) => (typeof segment === "object" ? segment.key : segment));
  const whole = [...(position.prefix ?? []), ...path];
  const unknown = unrecognizedKeys(issue);
  if (unknown === undefined)
    return [{ path: formatPath(whole), message: isAbsent(issue, path, input) ? "Is required" : issue.message }];
  const known = [...knownKeys(schema, path, input), ...(path.length === 0 ? (position.furtherKeys ?? []) : [])];
  return unknown.map((key) => ({ path: formatPath([...whole, key]), message: unknownKeyMessage(key, known) }));
}

function isAbsent(issue: StandardSchemaV1.Issue, path: readonly PropertyKey[], input: unknown): boolean {
  if ((issue as { code?: unknown }).code === "custom" || path.length === 0) return false;
  const value = path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown> | null | undefined)?.[key],
    input,
  );
  return value === undefined;
}

/** zod says which keys it does not know beside what Standard Schema asks of an issue. */
function unrecognizedKeys(issue: StandardSchemaV1.Issue): readonly string[] | undefined {
  const { code, keys } = issue as { code?: unknown; keys?: unknown };
  return code === "unrecognized_keys" && Array.isArray(keys) ? keys.map(String) : undefined;
}

/** `["tags", 0]` → `tags[0]`, `["buildArgs", "a.b"]` → `buildArgs["a.b"]`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, segment) => {
    if (typeof segment === "number") return `${text}[${segment}]`;
    const key = String(segment);
    if (!/^[A-Za-z_$][\w$-]*$/.test(key)) return `${text}[${JSON.stringify(key)}]`;
    return text === "" ? key : `${text}.${key}`;
  }, "");
}
