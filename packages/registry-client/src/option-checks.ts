import type { OptionIssue } from "@slipway/core/errors";
import { invalidOptions, typosFirst, unknownKeyMessage } from "@slipway/core/errors";

/** Says what is wrong with the value at a path. Options are checked by hand, since a library of schemas takes longer to load than all of this package. */
export type OptionCheck = (value: unknown, path: string) => readonly OptionIssue[];

/** A check for each option that there is, no more and no fewer. */
export type OptionChecks<Options> = Readonly<Record<keyof Options, OptionCheck>>;

/** Refuses options with everything that is wrong with them. @throws `INVALID_OPTIONS` */
export function checkOptions<Options>(what: string, options: Options, checks: OptionChecks<Options>): void {
  const issues = objectOf(checks)(options, "");
  if (issues.length > 0) throw invalidOptions(what, typosFirst(issues));
}

/** An object with these keys alone. */
export function objectOf<Options>(checks: OptionChecks<Options>): OptionCheck {
  const known = Object.keys(checks);
  const check = behaviourOf(checks);
  return (value, path) => {
    const unknown = isObject(value) ? Object.keys(value).filter((key) => !known.includes(key)) : [];
    return [
      ...unknown.flatMap((key) => wrong(keyPath(path, key), unknownKeyMessage(key, known))),
      ...check(value, path),
    ];
  };
}

/** An object of which only these keys matter, such as an instance of somebody's class. */
export function behaviourOf<Options>(checks: OptionChecks<Options>): OptionCheck {
  return (value, path) => {
    if (!isObject(value)) return wrong(path, "Must be an object");
    // Read as whoever uses the option reads it: options may come from a prototype, or from a getter of a class.
    return Object.entries<OptionCheck>(checks).flatMap(([key, check]) => check(value[key], keyPath(path, key)));
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What may be left out. */
export function optional(check: OptionCheck): OptionCheck {
  return (value, path) => (value === undefined ? [] : check(value, path));
}

/** What may not. */
export function required(check: OptionCheck): OptionCheck {
  return (value, path) => (value === undefined ? wrong(path, "Is required") : check(value, path));
}

/** A list of such. */
export function listOf(check: OptionCheck): OptionCheck {
  return (value, path) => {
    if (!Array.isArray(value)) return wrong(path, "Must be a list");
    return value.flatMap((item: unknown, index) => check(item, `${path}[${index}]`));
  };
}

/** A list of such that has something in it. */
export function someOf(check: OptionCheck, remedy: string): OptionCheck {
  return (value, path) =>
    Array.isArray(value) && value.length === 0 ? wrong(path, remedy) : listOf(check)(value, path);
}

/** A string; `problemOf` says what else is wrong with it. */
export function text(problemOf: (value: string) => string | undefined = () => undefined): OptionCheck {
  return (value, path) => {
    if (typeof value !== "string") return wrong(path, "Must be a string");
    const problem = problemOf(value);
    return problem === undefined ? [] : wrong(path, problem);
  };
}

/** A number within bounds, both of them included. */
export function amount(least: number, most: number): OptionCheck {
  const isAmount = (value: unknown): boolean => typeof value === "number" && value >= least && value <= most;
  return must(isAmount, `Must be a number from ${least} to ${most}`);
}

/** How many there are of something. */
export const count: OptionCheck = must(
  (value) => typeof value === "number" && Number.isSafeInteger(value) && value >= 1,
  "Must be a whole number from 1 on",
);

/** How many there may be of something at most. */
export const limit: OptionCheck = must(
  (value) => value === Number.POSITIVE_INFINITY || count(value, "").length === 0,
  "Must be a whole number from 1 on, or Infinity",
);

/** On or off. */
export const flag: OptionCheck = must((value) => typeof value === "boolean", "Must be true or false");

/** What is called. */
export const callable: OptionCheck = must((value) => typeof value === "function", "Must be a function");

/** What a test says of a value. */
export function must(isFine: (value: unknown) => boolean, message: string): OptionCheck {
  return (value, path) => (isFine(value) ? [] : wrong(path, message));
}

function wrong(path: string, message: string): readonly OptionIssue[] {
  return [{ path, message }];
}

function keyPath(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}
