import type { BuildSession } from "@slipway/buildkit-client";
import type { Credential, Keychain, KeychainCall } from "@slipway/core";

/** Answers the daemon's question for credentials from a keychain, anew each time, so that a rotated secret counts at once. */
export function sessionCredentials(keychain: Keychain, call: KeychainCall): BuildSession["credentials"] {
  return async (host) => {
    const candidates = await keychain.resolve({ registry: host, actions: ["pull", "push"] }, call);
    const best = candidates.find((candidate) => candidate.type !== "helper");
    return best === undefined ? undefined : usernameAndSecret(best);
  };
}

/** BuildKit takes an identity token as the password of nobody. */
function usernameAndSecret(credential: Exclude<Credential, { type: "helper" }>): { username: string; secret: string } {
  return credential.type === "basic"
    ? { username: credential.username, secret: credential.password }
    : { username: "", secret: credential.token };
}
