import type { ConnectionTarget } from "../kubeconfig/kubeconfig.ts";
import type { Credentials } from "./credentials.ts";

const askAgainMs = 30_000;

/**
 * Credentials of a legacy `auth-provider` entry (`oidc` above all). It is rare and deprecated, so that client-node, which takes
 * half a second to load, does the work.
 */
export async function authProviderCredentials(target: ConnectionTarget): Promise<Credentials> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: "target", server: target.cluster.server, skipTLSVerify: true }],
    users: [{ name: "user", authProvider: target.user["auth-provider"] }],
    contexts: [{ name: "target", cluster: "target", user: "user" }],
    currentContext: "target",
  });
  const options: { headers?: Record<string, string> } = {};
  await config.applyToHTTPSOptions(options);
  const authorization = options.headers?.Authorization ?? options.headers?.authorization;
  return { headers: authorization ? { authorization } : {}, expiresAtMs: Date.now() + askAgainMs };
}
