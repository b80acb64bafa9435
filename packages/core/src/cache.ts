import * as z from "zod/mini";

import { referenceSchema } from "./reference-schema.ts";

/** Where build steps of earlier builds are kept, beyond what the builder itself remembers. */
export type Cache =
  | { type: "registry"; reference: string; mode?: "min" | "max" }
  | { type: "inline" }
  | { type: "local"; directory: string; mode?: "min" | "max" }
  /** `attributes` under the names that BuildKit documents. */
  | { type: "gha" | "s3" | "azblob"; mode?: "min" | "max"; attributes: Readonly<Record<string, string>> };

const text = z.string().check(z.minLength(1));
const mode = z.optional(z.enum(["min", "max"]));

const cacheObjectSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("registry"), reference: referenceSchema, mode }),
  z.strictObject({ type: z.literal("inline") }),
  z.strictObject({ type: z.literal("local"), directory: text, mode }),
  z.strictObject({ type: z.enum(["gha", "s3", "azblob"]), mode, attributes: z.record(z.string(), z.string()) }),
]);

/** A string is a registry cache. */
export const cacheSchema = z.pipe(
  z.transform((value) => (typeof value === "string" ? { type: "registry", reference: value } : value)),
  cacheObjectSchema,
) as unknown as z.ZodMiniType<Cache, string | Cache>;
