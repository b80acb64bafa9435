import * as z from "zod/mini";

import { parseContextNotation } from "./context-notation.ts";
import { referenceSchema } from "./reference-schema.ts";

/** Where `COPY`, `ADD` and `FROM` find files. A tar can be read again, because a build whose pod was lost is retried. */
export type Context =
  | { type: "directory"; path: string }
  | { type: "git"; url: string; ref?: string; subdirectory?: string }
  | { type: "http"; url: string }
  | {
      type: "tar";
      /** Opens the tar from its beginning, each time. */
      read: () => AsyncIterable<Uint8Array>;
    }
  | { type: "image"; reference: string }
  | { type: "oci-layout"; path: string; reference?: string };

const text = z.string().check(z.minLength(1));
const reader = z.custom<() => AsyncIterable<Uint8Array>>(
  (value) => typeof value === "function",
  "Must be a function that returns the bytes of the tar each time it is called",
);

const contextObjectSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("directory"), path: text }),
  z.strictObject({ type: z.literal("git"), url: text, ref: z.optional(text), subdirectory: z.optional(text) }),
  z.strictObject({ type: z.literal("http"), url: text }),
  z.strictObject({ type: z.literal("tar"), read: reader }),
  z.strictObject({ type: z.literal("image"), reference: referenceSchema }),
  z.strictObject({ type: z.literal("oci-layout"), path: text, reference: z.optional(text) }),
]);

/** A string is read as buildx reads it: a path, a git or http(s) URL, `docker-image://…`, `oci-layout://…`. */
export const contextSchema = z.pipe(
  z.transform((value, call) => {
    if (typeof value !== "string") return value;
    const parsed = parseContextNotation(value);
    if (typeof parsed !== "string") return parsed;
    call.issues.push({ code: "custom", message: parsed, input: value });
    return z.NEVER;
  }),
  contextObjectSchema,
) as unknown as z.ZodMiniType<Context, string | Context>;
