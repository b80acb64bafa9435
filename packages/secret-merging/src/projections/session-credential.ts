import type { Credential } from "@slipway/core";

/**
 * A credential as BuildKit's session hands it out: an identity token is the secret of nobody. `undefined` if that cannot be said: a registry token goes
 * out as a token (`FetchToken`), and a helper has to be run first.
 */
export function sessionCredential(credential: Credential): { username: string; secret: string } | undefined {
  if (credential.type === "basic") return { username: credential.username, secret: credential.password };
  return credential.type === "identity-token" ? { username: "", secret: credential.token } : undefined;
}
