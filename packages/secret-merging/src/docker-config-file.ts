import { invalidOptions } from "@slipway/core";
import type { Credential } from "@slipway/core";
import * as z from "zod";

import type { RegistryScope } from "./registry-scope.ts";
import { parseRegistryScope } from "./registry-scope.ts";

/** A `config.json` of Docker, or the part of one that a Secret holds. */
export interface DockerConfigFile {
  readonly entries: readonly CredentialsEntry[];
  /** Helper for every registry that has none of its own. */
  readonly credsStore: string | undefined;
  readonly credHelpers: readonly { readonly scope: RegistryScope; readonly key: string; readonly helper: string }[];
}

/** An entry of `auths`. */
export interface CredentialsEntry {
  readonly scope: RegistryScope;
  /** Decodes the entry when it is needed, so that a broken one harms no other registry. Empty markers have no credential. */
  readonly credential: () => Credential | undefined;
}

const entrySchema = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
  registrytoken: z.string().optional(),
});
const authsSchema = z.record(z.string(), entrySchema);
const fileSchema = z.object({
  auths: authsSchema.optional(),
  credsStore: z.string().optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
});

/**
 * Reads a `config.json`.
 *
 * @param source - Where the text comes from, as diagnostics name it: `secret builds/regcred`.
 * @throws `INVALID_OPTIONS`, naming the source, if the text is no such file.
 */
export function parseDockerConfigFile(text: string, source: string): DockerConfigFile {
  const { auths = {}, credsStore, credHelpers = {} } = parse(fileSchema, text, source);
  return {
    entries: credentialsEntries(auths, source),
    credsStore: credsStore === "" ? undefined : credsStore,
    credHelpers: Object.entries(credHelpers).map(([key, helper]) => ({ scope: parseRegistryScope(key), key, helper })),
  };
}

/** Reads the content of a `kubernetes.io/dockercfg` Secret: the `auths` alone. Throws as {@link parseDockerConfigFile} does. */
export function parseLegacyDockerConfig(text: string, source: string): DockerConfigFile {
  return {
    entries: credentialsEntries(parse(authsSchema, text, source), source),
    credsStore: undefined,
    credHelpers: [],
  };
}

function parse<Schema extends z.ZodType>(schema: Schema, text: string, source: string): z.output<Schema> {
  const result = schema.safeParse(parseJson(text, source));
  if (result.success) return result.data;
  const places = result.error.issues.map((issue) => issue.path.join("."));
  throw invalidCredentials(
    source,
    `The ${source} is no Docker configuration: see ${places.join(", ") || "its top level"}`,
  );
}

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    // The parser's message quotes the text, which holds secrets.
    throw invalidCredentials(source, `The ${source} is not JSON`);
  }
}

/** The error for a source of credentials that cannot be used. */
export function invalidCredentials(source: string, message: string): Error {
  return invalidOptions("credentials", [{ path: source, message }]);
}

function credentialsEntries(auths: z.output<typeof authsSchema>, source: string): CredentialsEntry[] {
  return Object.entries(auths).map(([key, entry]) => ({
    scope: parseRegistryScope(key),
    credential: () => decodeEntry(key, entry, source),
  }));
}

function decodeEntry(key: string, entry: z.output<typeof entrySchema>, source: string): Credential | undefined {
  if (entry.registrytoken) return { source, type: "registry-token", token: entry.registrytoken };
  if (entry.identitytoken) return { source, type: "identity-token", token: entry.identitytoken };
  if (entry.auth) return { source, type: "basic", ...decodeAuth(key, entry.auth, source) };
  if (entry.username && entry.password) {
    return { source, type: "basic", username: entry.username, password: entry.password };
  }
  return undefined;
}

/** `auth` is `username:password` in base64, with or without padding; Docker also cuts trailing NULs off. */
function decodeAuth(key: string, auth: string, source: string): { username: string; password: string } {
  const decoded = Buffer.from(auth, "base64").toString("utf8").replace(/\0+$/, "");
  const colon = decoded.indexOf(":");
  if (colon > 0) return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
  throw invalidCredentials(
    source,
    `The entry for ${key} in ${source} has an "auth" that is not username:password in base64. Log in again`,
  );
}
