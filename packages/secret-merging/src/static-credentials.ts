import { parseOptions } from "@slipway/core";
import type { Credential, Keychain, OptionsShape } from "@slipway/core";
import * as z from "zod/mini";

import { findCredentials } from "./find-credentials.ts";
import type { KeychainContent, KeychainEntry } from "./keychain-content.ts";
import { keychainOf } from "./keychain-content.ts";
import { formatRegistryScope, parseRegistryScope, withoutUserInfo } from "./registry-scope.ts";
import { tokenExpiry } from "./token-expiry.ts";

/** Credentials that the program itself has, and the registry that they are for. */
export type StaticCredentialsOptions = Readonly<{
  /** `registry.example.com`, with a path for the repositories below it: `registry.example.com/team`. A host may have wildcards: `*.example.com`. */
  registry: string;
  /** Where they come from, as diagnostics name it, so that two logins for one registry can be told apart. @defaultValue `credentials given for <registry>` */
  source?: string | undefined;
}> &
  (
    | Readonly<{ username: string; password: string }>
    /** What a login exchanges for tokens: a refresh token. */
    | Readonly<{ identityToken: string }>
    /** Sent to the registry as it is. */
    | Readonly<{ registryToken: string }>
  );

const text = z.string().check(z.minLength(1, "Is empty"));
const secret = z
  .string()
  .check(z.minLength(1, "Is empty. Give it a value, or leave these credentials out while there is none"));

type KeyOf<Options> = Options extends unknown ? keyof Options : never;
type ValueOf<Options, Key> = Options extends unknown ? (Key extends keyof Options ? Options[Key] : never) : never;

/** The options of every kind together. */
type EveryOption = {
  [Key in KeyOf<StaticCredentialsOptions>]?: ValueOf<StaticCredentialsOptions, Key> | undefined;
};

// One object for all kinds: a union would say no more than that nothing of it fits.
const everyOptionSchema = z.strictObject({
  registry: text,
  source: z.optional(text),
  username: z.optional(text),
  password: z.optional(secret),
  identityToken: z.optional(secret),
  registryToken: z.optional(secret),
} satisfies OptionsShape<EveryOption>);

type ParsedOptions = z.output<typeof everyOptionSchema>;

const staticCredentialsSchema = z.pipe(
  everyOptionSchema,
  z.transform((options, call) => {
    const given = givenOf(options);
    if (given !== undefined) return entryOf(options, given);
    const message = "Give either a username and a password, or an identityToken, or a registryToken";
    // Without the input, which may be half of a secret.
    call.issues.push({ code: "custom", message, input: undefined });
    return z.NEVER;
  }),
);

/**
 * Credentials that are given as they are, for one registry or several.
 *
 * @throws `INVALID_OPTIONS` for wrong options.
 */
export function staticCredentials(options: StaticCredentialsOptions | readonly StaticCredentialsOptions[]): Keychain {
  const entries = Array.isArray(options)
    ? parseOptions(z.array(staticCredentialsSchema), options, "staticCredentials")
    : [parseOptions(staticCredentialsSchema, options, "staticCredentials")];
  const content: KeychainContent = { entries, problems: [] };
  return keychainOf({
    read: () => Promise.resolve(content),
    find: (resource, call) => findCredentials(content, resource, call, () => Promise.resolve(undefined)),
  });
}

function entryOf({ registry, source: named }: ParsedOptions, given: Given): KeychainEntry {
  const scope = parseRegistryScope(registry);
  const source = named ?? `credentials given for ${formatRegistryScope(scope)}`;
  const limits = scope.path.length === 0 ? { source } : { source, scope: scope.path.join("/") };
  const credential: Credential = { ...limits, ...given };
  const expiresAtMs = tokenExpiry(given.type === "basic" ? given.password : given.token);
  const lasting = expiresAtMs === undefined ? credential : { ...credential, expiresAtMs };
  return { type: "credential", source, key: withoutUserInfo(registry), scope, credential: lasting };
}

type Given =
  | { readonly type: "basic"; readonly username: string; readonly password: string }
  | { readonly type: "identity-token" | "registry-token"; readonly token: string };

/** `undefined` if it is none, half of one, or several. */
function givenOf({ username, password, identityToken, registryToken }: ParsedOptions): Given | undefined {
  const login = username !== undefined || password !== undefined;
  if (Number(login) + Number(identityToken !== undefined) + Number(registryToken !== undefined) !== 1) return undefined;
  if (identityToken !== undefined) return { type: "identity-token", token: identityToken };
  if (registryToken !== undefined) return { type: "registry-token", token: registryToken };
  if (username === undefined || password === undefined) return undefined;
  return { type: "basic", username, password };
}
