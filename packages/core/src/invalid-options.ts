import type { StandardSchemaV1 } from "@standard-schema/spec";

import { BuilderError } from "./builder-error.ts";
import { knownKeys } from "./known-keys.ts";
import { nearestName } from "./nearest-name.ts";

/** One thing that is wrong with options: where, and what. */
export interface OptionIssue {
  /** `tags[0]`, `secrets.npm`; empty for the options as a whole. */
  readonly path: string;
  readonly message: string;
}

/** The error for options that are wrong, with every issue in its message. */
export function invalidOptions(what: string, issues: readonly OptionIssue[]): BuilderError<"INVALID_OPTIONS"> {
  const lines = issues.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
  return new BuilderError({
    code: "INVALID_OPTIONS",
    message: `Invalid options for ${what}: ${lines.join("; ")}.`,
    details: { issues },
  });
}

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

/** What a schema says about a value, with paths written as text below `prefix`. */
export function validateOptions<Schema extends StandardSchemaV1>(
  schema: Schema,
  input: unknown,
  prefix: readonly PropertyKey[] = [],
):
  | { readonly value: StandardSchemaV1.InferOutput<Schema>; readonly issues?: undefined }
  | { readonly issues: readonly OptionIssue[] } {
  const result = schema["~standard"].validate(input);
  if (result instanceof Promise)
    throw new BuilderError({
      code: "INTERNAL",
      message: `The schema of ${formatPath(prefix)} validates asynchronously, which options cannot wait for. Make it synchronous.`,
      details: { thrown: "asynchronous options schema" },
    });
  if (result.issues === undefined) return { value: result.value };
  return { issues: result.issues.flatMap((issue) => optionIssues(schema, input, prefix, issue)) };
}

function optionIssues(
  schema: unknown,
  input: unknown,
  prefix: readonly PropertyKey[],
  issue: StandardSchemaV1.Issue,
): OptionIssue[] {
  const path = (issue.path ?? []).map((segment) => (typeof segment === "object" ? segment.key : segment));
  const unknown = unrecognizedKeys(issue);
  if (unknown === undefined) return [{ path: formatPath([...prefix, ...path]), message: issue.message }];
  const known = knownKeys(schema, path, input);
  return unknown.map((key) => {
    const nearest = nearestName(key, known);
    const hint = nearest === undefined ? `known are ${known.join(", ")}` : `did you mean "${nearest}"?`;
    return {
      path: formatPath([...prefix, ...path, key]),
      message: `Unknown key "${key}"${known.length > 0 ? `; ${hint}` : ""}`,
    };
  });
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
