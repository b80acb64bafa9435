import { credentialPath } from "@slipway/core";
import type { Credential, Keychain, KeychainCall } from "@slipway/core";

/** A user name and a password as `auths` has them. */
export function encodeLogin({ username, password }: Extract<Credential, { type: "basic" }>): string {
  return Buffer.from(`${username}:${password}`).toString("base64");
}

/**
 * The logins that a keychain has for exactly one key, each once. The answer for an image does not tell: a login that stands under a path and under
 * the whole registry is in it under the path alone.
 *
 * @param registry - The one that the key's host is a name of.
 */
export async function loginsUnder(
  key: string,
  registry: string,
  keychain: Keychain,
  call: KeychainCall,
): Promise<readonly string[]> {
  const path = key.split("/").slice(1).join("/");
  const resource = { registry, ...(path === "" ? {} : { repository: path }), actions: ["pull" as const] };
  // What is wrong with the sources is told where an image is asked about; the rest is about paths that nobody pulls from.
  const candidates = await keychain.resolve(resource, { ...call, warn: () => undefined });
  const logins = candidates.flatMap((credential) =>
    credential.type === "basic" && credentialPath(credential).join("/") === path ? [encodeLogin(credential)] : [],
  );
  return [...new Set(logins)];
}
