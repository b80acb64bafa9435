import type { Credential } from "@slipway/core";
import * as z from "zod/mini";

import { chosenHelpers } from "./chosen-helpers.ts";
import type { EntryProblem, KeychainContent, KeychainEntry } from "./keychain-content.ts";
import { formatRegistryScope, parseRegistryScope, withoutUserInfo } from "./registry-scope.ts";
import type { RegistryScope } from "./registry-scope.ts";
import { tokenExpiry } from "./token-expiry.ts";
import { unreadableText, wrappedText } from "./unreadable-text.ts";

const text = z.nullish(z.string());
const entrySchema = z.nullable(
  z.object({ auth: text, username: text, password: text, identitytoken: text, registrytoken: text }),
);
const authsSchema = z.record(z.string(), z.unknown());
const fileSchema = z.looseObject({
  auths: z.nullish(authsSchema),
  credsStore: text,
  credHelpers: z.nullish(z.record(z.string(), text)),
});

/**
 * Reads a `config.json`: each entry for itself, so that a broken one harms no other.
 *
 * @param source - Where the text comes from, as diagnostics name it: `secret builds/regcred`.
 */
export function parseDockerConfigFile(content: string, source: string): KeychainContent {
  const read = parse(fileSchema, content, source);
  if (!read.success) return { entries: [], problems: [read.problem] };
  const { auths, credsStore, credHelpers, ...others } = read.data;
  const ofRegistries = Object.entries(credHelpers ?? {}).map(([key, helper]) => ({
    ...{ type: "helper" as const, source, key: withoutUserInfo(key) },
    ...{ scope: parseRegistryScope(key), helper: helper ?? "" },
  }));
  const store = { type: "helper" as const, source, key: "credsStore", scope: "any" as const, helper: credsStore ?? "" };
  const helpers = [...ofRegistries, ...(credsStore ? [store] : [])];
  const held = authEntries(auths ?? {}, source, (scope) => chosenHelpers(helpers, scope).length > 0);
  const kept = new Set(Object.keys(auths ?? {}).map((key) => formatRegistryScope(parseRegistryScope(key))));
  const problems = [...held.problems, ...misplacedEntries(others, kept, source)];
  return { entries: [...helpers, ...held.entries], problems };
}

/** Reads the content of a `kubernetes.io/dockercfg` Secret: the `auths` alone. */
export function parseLegacyDockerConfig(content: string, source: string): KeychainContent {
  const read = parse(authsSchema, content, source);
  if (!read.success) return { entries: [], problems: [read.problem] };
  const { auths, ...entries } = read.data;
  const held = authEntries(entries, source, () => false);
  if (typeof auths !== "object" || auths === null || Object.keys(auths).length === 0) return held;
  const message = `The ${source} has "auths", which is looked for under .dockerconfigjson. Use the type kubernetes.io/dockerconfigjson`;
  return {
    ...held,
    problems: [{ source, key: "auths", message, harmless: held.entries.length > 0 }, ...held.problems],
  };
}

type Parsed<Data> =
  { readonly success: true; readonly data: Data } | { readonly success: false; readonly problem: EntryProblem };

function parse<Schema extends z.ZodMiniType>(
  schema: Schema,
  content: string,
  source: string,
): Parsed<z.output<Schema>> {
  const failed = (message: string): Parsed<never> => ({ success: false, problem: { source, message } });
  let value: unknown;
  try {
    value = JSON.parse(content.replace(/^\ufeff/, ""));
  } catch {
    // The parser's message quotes the text, which holds secrets.
    return failed(`The ${source} ${unreadableText(content)}`);
  }
  const result = schema.safeParse(value);
  if (result.success) return { success: true, data: result.data };
  if (typeof value === "string") return failed(`The ${source} ${wrappedText(value)}`);
  const places = result.error.issues.map((issue) => issue.path.join("."));
  return failed(`The ${source} is no Docker configuration: see ${places.join(", ") || "its top level"}`);
}

/** What else Docker keeps in the file, some of which has objects with keys of anybody's choice. */
const settings = new Set(["HttpHeaders", "proxies", "plugins", "aliases", "features"]);

/**
 * Entries beside `auths`, where the older `.dockercfg` has them. Some write both, for programs of both kinds.
 *
 * @param held - What stands under `auths`, too.
 */
function misplacedEntries(
  fields: Readonly<Record<string, unknown>>,
  held: ReadonlySet<string>,
  source: string,
): EntryProblem[] {
  return Object.entries(fields).flatMap(([written, value]) => {
    const entry = entrySchema.safeParse(value);
    if (settings.has(written) || !entry.success || entry.data === null) return [];
    const harmless = !Object.values(entry.data).some(Boolean);
    const key = withoutUserInfo(written);
    const scope = parseRegistryScope(key);
    if ((harmless && !/[.:]/.test(key)) || held.has(formatRegistryScope(scope))) return [];
    const message = `The entry for ${key} in ${source} is not under "auths", where it is looked for. Put it there`;
    return [{ source, key, scope, message, harmless }];
  });
}

/** @param stored - Whether a helper keeps what an empty entry stands for: `docker login` leaves such ones behind. */
function authEntries(
  auths: Readonly<Record<string, unknown>>,
  source: string,
  stored: (scope: RegistryScope) => boolean,
): KeychainContent {
  const entries: KeychainEntry[] = [];
  const problems: EntryProblem[] = [];
  for (const [written, value] of Object.entries(auths)) {
    const key = withoutUserInfo(written);
    const scope = parseRegistryScope(key.trim().replace(/^(['"`])([^]*)\1$/, "$2"));
    const decoded = decodeEntry(key, value, scope, source);
    if (typeof decoded === "string") problems.push({ source, key, scope, message: decoded });
    else if (decoded !== undefined) entries.push({ type: "credential", source, key, scope, credential: decoded });
    else if (!stored(scope)) problems.push({ source, key, scope, message: emptyEntry(key, source), harmless: true });
  }
  return { entries, problems };
}

function emptyEntry(key: string, source: string): string {
  return `The entry for ${key} in ${source} has no "auth", no user name with a password, and no token. Log in again`;
}

const quoted = /^\s*(['"`])[^]*\1\s*$/;

/** The credential of an entry, `undefined` if it is an empty marker, or what is wrong with it. */
function decodeEntry(
  key: string,
  value: unknown,
  scope: RegistryScope,
  source: string,
): Credential | string | undefined {
  const where = `The entry for ${key} in ${source}`;
  if (quoted.test(key)) return `The entry ${key} in ${source} has a name wrapped in shell quotes. Write it without`;
  const result = entrySchema.safeParse(value);
  if (!result.success) {
    if (typeof value === "string" && quoted.test(value)) return `${where} is wrapped in shell quotes. Write it without`;
    const places = result.error.issues.map((issue) => ["auths", key, ...issue.path].join("."));
    return `${where} has a value of the wrong type: see ${places.join(", ")}`;
  }
  const { auth, username, password, identitytoken, registrytoken } = result.data ?? {};
  const limits = scope.path.length === 0 ? { source } : { source, scope: scope.path.join("/") };
  if (registrytoken) return withExpiry({ ...limits, type: "registry-token", token: registrytoken }, registrytoken);
  if (identitytoken) return withExpiry({ ...limits, type: "identity-token", token: identitytoken }, identitytoken);
  if (auth) {
    const login = decodeAuth(auth);
    if (login !== undefined) return withExpiry({ ...limits, type: "basic", ...login }, login.password);
    return quoted.test(auth)
      ? `${where} has an "auth" wrapped in shell quotes. Write it without`
      : `${where} has an "auth" that is not username:password in base64. Log in again`;
  }
  if (username && password) return withExpiry({ ...limits, type: "basic", username, password }, password);
  return undefined;
}

function withExpiry(credential: Credential, secret: string): Credential {
  const expiresAtMs = tokenExpiry(secret);
  return expiresAtMs === undefined ? credential : { ...credential, expiresAtMs };
}

/** `auth` is `username:password` in base64, with or without padding; Docker also cuts trailing NULs off. */
function decodeAuth(auth: string): { username: string; password: string } | undefined {
  if (!/^[A-Za-z0-9+/\s]+=*\s*$/.test(auth)) return undefined;
  const decoded = Buffer.from(auth, "base64").toString("utf8").replace(/\0+$/, "");
  const colon = decoded.indexOf(":");
  return colon > 0 ? { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) } : undefined;
}
