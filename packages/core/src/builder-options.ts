import * as z from "zod/mini";

import type { BuildEvent, DriverEvent } from "./build-event.ts";
import { buildOptionKeys, platformSchema } from "./build-options.ts";
import type { OptionsShape } from "./build-options.ts";
import type { CreateBuilderOptions, BuildCallOptions, CallOptions, OperationCallOptions } from "./builder.ts";
import type { BuilderDriver } from "./builder-driver.ts";
import type { PruneOptions, PublishOptions, PullableOptions } from "./builder-maintenance.ts";
import type { FindOptions } from "./found-image.ts";
import { canSkip } from "./build-skip.ts";
import type { Keychain } from "./keychain.ts";
import type { Logger } from "./logger.ts";
import { referenceSchema, tagSchema } from "./reference-schema.ts";

/** What timers of Node take: beyond 2^31 - 1 ms they fire at once. */
const maximumTimeoutMs = 2_147_483_647;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const listenerOf = <Event>() =>
  z.custom<(event: Event) => void>((value) => typeof value === "function", "Must be a function");
const keychain = z.custom<Keychain>(
  (value) => isObject(value) && typeof value["resolve"] === "function",
  "Must be a keychain: an object with a function resolve",
);
const logger = z.custom<Logger>(isLogger, "Must have the functions debug, info, warn and error, as console does");
const signal = z.custom<AbortSignal>((value) => value instanceof AbortSignal, "Must be an AbortSignal");
const keychains = z._default(z.readonly(z.array(keychain)), []);

function isLogger(value: unknown): boolean {
  return isObject(value) && ["debug", "info", "warn", "error"].every((level) => typeof value[level] === "function");
}

const driverSchema = z.custom<BuilderDriver>().check(
  z.superRefine((driver, call) => {
    const message = driverProblem(driver);
    if (message !== undefined) call.addIssue({ code: "custom", message });
  }),
);

function driverProblem(driver: unknown): string | undefined {
  if (!isObject(driver)) return "Must be a driver, for example buildkitDriver({ name })";
  if (driver["specificationVersion"] !== "v1")
    return `Has the specification version ${JSON.stringify(driver["specificationVersion"])}; this core takes "v1"`;
  if (typeof driver["name"] !== "string" || driver["name"] === "") return "Has no name";
  if (!Array.isArray(driver["features"])) return "Declares no features; a driver without any has an empty list";
  if (typeof driver["build"] !== "function") return "Has no function build";
  const watchable = typeof driver["builds"] === "function" && typeof driver["cancel"] === "function";
  if (typeof driver["attach"] === "function" && !watchable) return "Has attach without builds and cancel";
  if (driver["features"].includes("skipIfPresent") && !canSkip(driver))
    return "Declares skipIfPresent without find, identify and recordIdentity";
  const taken = Object.keys(driver["buildOptions"] ?? {}).filter((key) => buildOptionKeys.includes(key));
  return taken.length > 0 ? `Adds build options that exist already: ${taken.join(", ")}` : undefined;
}

/** Options of `createBuilder`. */
export const createBuilderOptionsSchema = z.strictObject({
  driver: driverSchema,
  credentials: keychains,
  concurrency: z._default(z.int().check(z.positive()), 4),
  retries: z._default(z.int().check(z.minimum(0), z.maximum(10)), 2),
  logger: z.optional(logger),
  onEvent: z.optional(listenerOf<BuildEvent>()),
} satisfies OptionsShape<CreateBuilderOptions<BuilderDriver>>);

/** Options of `createBuilder`, parsed. */
export type ParsedBuilderOptions = z.output<typeof createBuilderOptionsSchema>;

const callShape = {
  signal: z.optional(signal),
  timeoutMs: z.optional(z.number().check(z.positive(), z.maximum(maximumTimeoutMs))),
  credentials: keychains,
} satisfies OptionsShape<CallOptions>;

/** Options of a call of `build`. */
export const buildCallSchema = z.strictObject({
  ...callShape,
  priority: z._default(z.number(), 0),
} satisfies OptionsShape<BuildCallOptions>);

/** Options of a call of any other operation. */
export const callSchema = z.strictObject(callShape);

/** Options of a call that reports progress to its caller. */
export const operationCallSchema = z.strictObject({
  ...callShape,
  onEvent: z.optional(listenerOf<DriverEvent>()),
} satisfies OptionsShape<OperationCallOptions>);

const amount = z.optional(z.number().check(z.minimum(0)));

/** Options of `prune`. */
export const pruneOptionsSchema = z.strictObject({
  unusedForMs: amount,
  keepBytes: amount,
} satisfies OptionsShape<PruneOptions>);

const text = z.string().check(z.minLength(1));
const flag = z.optional(z.boolean());

/** Options of `publish`. */
export const publishOptionsSchema = z.strictObject({
  source: referenceSchema,
  destinations: z.readonly(
    z.array(tagSchema).check(z.minLength(1, "Is empty; name at least one registry/repository:tag")),
  ),
  versionTag: z.optional(z.string().check(z.regex(/^\w[\w.-]{0,127}$/, "Is no tag: letters, digits, _, . and -"))),
  platforms: z.optional(z.readonly(z.array(z.string()))),
  referrers: flag,
  dryRun: flag,
  createRepository: flag,
  beforeTag: z.optional(
    z.custom<NonNullable<PublishOptions["beforeTag"]>>((value) => typeof value === "function", "Must be a function"),
  ),
} satisfies OptionsShape<PublishOptions>);

/** What `find` looks for, as it is given. */
export const findSchema = z.strictObject({
  reference: referenceSchema,
  platforms: z._default(z.readonly(z.array(platformSchema)), []),
} satisfies OptionsShape<FindOptions> & { readonly reference: z.core.$ZodType<unknown, string> });

/** Options of `ensurePullable`. */
export const pullableOptionsSchema = z.strictObject({
  namespace: text,
  serviceAccount: z.optional(text),
  images: z.optional(z.readonly(z.array(text))),
} satisfies OptionsShape<PullableOptions>);

/** Options of `remove`. */
export const removeOptionsSchema = z.strictObject({ keepState: z._default(z.boolean(), false) });
