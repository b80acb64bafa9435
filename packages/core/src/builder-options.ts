import * as z from "zod";

import type { BuildEvent, DriverEvent } from "./build-event.ts";
import { buildOptionKeys } from "./build-options.ts";
import type { OptionsShape } from "./build-options.ts";
import type { CreateBuilderOptions, BuildCallOptions, CallOptions, OperationCallOptions } from "./builder.ts";
import type { BuilderDriver } from "./builder-driver.ts";
import type { PruneOptions, PublishOptions } from "./builder-maintenance.ts";
import { imageReferenceProblem } from "./image-reference.ts";
import type { Keychain } from "./keychain.ts";
import type { Logger } from "./logger.ts";

/** What timers of Node take: beyond 2^31 - 1 ms they fire at once. */
const maximumTimeoutMs = 2_147_483_647;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const listenerOf = <Event>() =>
  z.custom<(event: Event) => void>((value) => typeof value === "function", "Must be a function");
const keychain = z.custom<Keychain>(
  (value) => isObject(value) && typeof value["resolve"] === "function",
  "Must be a keychain: an object with a function resolve",
);
const logger = z.custom<Logger>(
  (value) => isObject(value) && ["debug", "info", "warn", "error"].every((level) => typeof value[level] === "function"),
  "Must have the functions debug, info, warn and error, as console does",
);
const signal = z.custom<AbortSignal>((value) => value instanceof AbortSignal, "Must be an AbortSignal");
const keychains = z.array(keychain).readonly();

const driverSchema = z.custom<BuilderDriver>().superRefine((driver, call) => {
  const message = driverProblem(driver);
  if (message !== undefined) call.addIssue({ code: "custom", message });
});

function driverProblem(driver: unknown): string | undefined {
  if (!isObject(driver)) return "Must be a driver, for example buildkitDriver({ name })";
  if (driver["specificationVersion"] !== "v1")
    return `Has the specification version ${JSON.stringify(driver["specificationVersion"])}; this core takes "v1"`;
  if (typeof driver["name"] !== "string" || driver["name"] === "") return "Has no name";
  if (!Array.isArray(driver["features"])) return "Declares no features; a driver without any has an empty list";
  if (typeof driver["build"] !== "function") return "Has no function build";
  const watchable = typeof driver["builds"] === "function" && typeof driver["cancel"] === "function";
  if (typeof driver["attach"] === "function" && !watchable) return "Has attach without builds and cancel";
  const taken = Object.keys(driver["buildOptions"] ?? {}).filter((key) => buildOptionKeys.includes(key));
  return taken.length > 0 ? `Adds build options that exist already: ${taken.join(", ")}` : undefined;
}

/** Options of `createBuilder`. */
export const createBuilderOptionsSchema = z.strictObject({
  driver: driverSchema,
  credentials: keychains.default([]),
  concurrency: z.int().positive().default(4),
  retries: z.int().min(0).max(10).default(2),
  logger: logger.optional(),
  onEvent: listenerOf<BuildEvent>().optional(),
} satisfies OptionsShape<CreateBuilderOptions<BuilderDriver>>);

/** Options of `createBuilder`, parsed. */
export type ParsedBuilderOptions = z.output<typeof createBuilderOptionsSchema>;

const callShape = {
  signal: signal.optional(),
  timeoutMs: z.number().positive().max(maximumTimeoutMs).optional(),
  credentials: keychains.default([]),
} satisfies OptionsShape<CallOptions>;

/** Options of a call of `build`. */
export const buildCallSchema = z.strictObject({
  ...callShape,
  priority: z.number().default(0),
} satisfies OptionsShape<BuildCallOptions>);

/** Options of a call of any other operation. */
export const callSchema = z.strictObject(callShape);

/** Options of a call that reports progress to its caller. */
export const operationCallSchema = z.strictObject({
  ...callShape,
  onEvent: listenerOf<DriverEvent>().optional(),
} satisfies OptionsShape<OperationCallOptions>);

const amount = z.number().min(0).optional();

/** Options of `prune`. */
export const pruneOptionsSchema = z.strictObject({
  unusedForMs: amount,
  keepBytes: amount,
} satisfies OptionsShape<PruneOptions>);

const destination = z.string().superRefine((reference, call) => {
  const message = imageReferenceProblem(reference);
  if (message !== undefined) call.addIssue({ code: "custom", message });
});

/** Options of `publish`. */
export const publishOptionsSchema = z.strictObject({
  source: z.string().min(1),
  destinations: z.array(destination).min(1, "Is empty; name at least one registry/repository:tag").readonly(),
  platforms: z.array(z.string()).readonly().optional(),
} satisfies OptionsShape<PublishOptions>);

/** Options of `remove`. */
export const removeOptionsSchema = z.strictObject({ keepState: z.boolean().default(false) });
