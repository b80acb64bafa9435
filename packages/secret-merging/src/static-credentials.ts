import { parseOptions } from "@slipway/core";
import type { Credential, Keychain } from "@slipway/core";
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
}> &
  (
    | Readonly<{ username: string; password: string }>
    /** What a login exchanges for tokens: a refresh token. */
    | Readonly<{ identityToken: string }>
    /** Sent to the registry as it is. */
    | Readonly<{ registryToken: string }>
  );

const registry = z.string().check(z.minLength(1));
const secret = z.string().check(z.minLength(1));
const staticCredentialsSchema = z.array(
  z.union([
    z.strictObject({ registry, username: secret, password: secret }),
    z.strictObject({ registry, identityToken: secret }),
    z.strictObject({ registry, registryToken: secret }),
  ]),
) satisfies z.ZodMiniType<readonly StaticCredentialsOptions[]>;

/**
 * Credentials that are given as they are, for one registry or several.
 *
 * @throws `INVALID_OPTIONS` for wrong options.
 */
export function staticCredentials(options: StaticCredentialsOptions | readonly StaticCredentialsOptions[]): Keychain {
  const list = Array.isArray(options) ? (options as readonly StaticCredentialsOptions[]) : [options];
  const entries = parseOptions(staticCredentialsSchema, list, "staticCredentials").map(entryOf);
  const content: KeychainContent = { entries, problems: [] };
  return keychainOf({
    read: () => Promise.resolve(content),
    find: (resource, call) => findCredentials(content, resource, call, () => Promise.resolve(undefined)),
  });
}

function entryOf(options: StaticCredentialsOptions): KeychainEntry {
  const scope = parseRegistryScope(options.registry);
  const source = `credentials given for ${formatRegistryScope(scope)}`;
  const limits = scope.path.length === 0 ? { source } : { source, scope: scope.path.join("/") };
  const credential = { ...limits, ...secretOf(options) };
  const expiresAtMs = tokenExpiry(credential.type === "basic" ? credential.password : credential.token);
  const lasting: Credential = expiresAtMs === undefined ? credential : { ...credential, expiresAtMs };
  return { type: "credential", source, key: withoutUserInfo(options.registry), scope, credential: lasting };
}

function secretOf(
  options: StaticCredentialsOptions,
):
  { type: "basic"; username: string; password: string } | { type: "identity-token" | "registry-token"; token: string } {
  if ("username" in options) return { type: "basic", username: options.username, password: options.password };
  if ("identityToken" in options) return { type: "identity-token", token: options.identityToken };
  return { type: "registry-token", token: options.registryToken };
}
