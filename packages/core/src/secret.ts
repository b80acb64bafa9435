import { readFile } from "node:fs/promises";

import * as z from "zod/mini";

import { BuilderError } from "./builder-error.ts";

/** Reads a secret when the build asks for it. A function, so that nothing prints or serialises the value. */
export type SecretReader = () => Promise<Uint8Array>;

/** Where a secret is: in a file, in an environment variable of this process, given as it is, or wherever a function finds it. */
export type SecretSource = { file: string } | { env: string } | { value: string | Uint8Array } | SecretReader;

const text = z.string().check(z.minLength(1));

const sourceSchema = z.union(
  [
    z.strictObject({ file: text }),
    z.strictObject({ env: text }),
    z.strictObject({ value: z.union([z.string(), z.custom<Uint8Array>((value) => value instanceof Uint8Array)]) }),
    z.custom<SecretReader>((value) => typeof value === "function"),
  ],
  { error: "Must be { file }, { env }, { value } or a function that resolves to bytes" },
);

/** Whatever the source, what comes out is a function. */
export const secretSchema: z.ZodMiniType<SecretReader, SecretSource> = z.pipe(sourceSchema, z.transform(secretReader));

function secretReader(source: SecretSource): SecretReader {
  if (typeof source === "function") return source;
  if ("file" in source) return () => readSecretFile(source.file);
  if ("env" in source) return async () => readSecretVariable(source.env);
  const bytes = typeof source.value === "string" ? new TextEncoder().encode(source.value) : source.value;
  return async () => bytes;
}

async function readSecretFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw secretMissing(
      `The secret file ${path} cannot be read: ${(error as Error).message}. Check the path and its permissions.`,
      error,
    );
  }
}

function readSecretVariable(name: string): Uint8Array {
  const value = process.env[name];
  if (value === undefined)
    throw secretMissing(`The secret's environment variable ${name} is not set. Set it, or choose another source.`);
  return new TextEncoder().encode(value);
}

function secretMissing(message: string, cause?: unknown): BuilderError {
  return new BuilderError({
    code: "INVALID_OPTIONS",
    message,
    details: { issues: [{ path: "secrets", message }] },
    cause,
  });
}
