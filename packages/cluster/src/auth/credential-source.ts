import { readFile } from "node:fs/promises";

import { BuilderError } from "@slipway/core";

import type { ConnectionTarget, KubeconfigUser } from "../kubeconfig/kubeconfig.ts";
import { authProviderCredentials } from "./auth-provider.ts";
import { cacheCredentials } from "./credentials.ts";
import type { Credentials, CredentialSource } from "./credentials.ts";

/** How often files are read again: a projected service account token is replaced while the old one is still good for a fifth of its life. */
const rereadMs = 60_000;

/** The headers by which a user acts as somebody else (`as`, `as-groups`, …). */
export function impersonationHeaders(user: KubeconfigUser): Record<string, string | readonly string[]> {
  const headers: Record<string, string | readonly string[]> = {};
  if (user.as) headers["impersonate-user"] = user.as;
  if (user["as-uid"]) headers["impersonate-uid"] = user["as-uid"];
  if (user["as-groups"]?.length) headers["impersonate-group"] = user["as-groups"];
  for (const [key, values] of Object.entries(user["as-user-extra"] ?? {})) {
    headers[`impersonate-extra-${encodeURIComponent(key).toLowerCase()}`] = values;
  }
  return headers;
}

async function readCredentialFile(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new BuilderError({
      code: "KUBECONFIG_INVALID",
      message: `The ${what} ${path}, which the kubeconfig names, cannot be read. Check the path and its permissions.`,
      details: { path },
      cause: error,
    });
  }
}

const decode = (data: string): Buffer => Buffer.from(data, "base64");

async function clientCertificate(user: KubeconfigUser): Promise<Credentials["certificate"]> {
  const { "client-certificate-data": certData, "client-key-data": keyData } = user;
  const { "client-certificate": certPath, "client-key": keyPath } = user;
  const cert = certData ? decode(certData) : certPath && (await readCredentialFile(certPath, "client certificate"));
  const key = keyData ? decode(keyData) : keyPath && (await readCredentialFile(keyPath, "client key"));
  return cert && key ? { cert, key } : undefined;
}

async function authorizationHeader(user: KubeconfigUser): Promise<Record<string, string>> {
  // The order of client-go: a token file beats a token, because it can be renewed.
  if (user.tokenFile)
    return { authorization: `Bearer ${(await readCredentialFile(user.tokenFile, "token file")).trim()}` };
  if (user.token) return { authorization: `Bearer ${user.token}` };
  if (user.username === undefined || user.username === "") return {};
  return { authorization: `Basic ${Buffer.from(`${user.username}:${user.password ?? ""}`).toString("base64")}` };
}

/**
 * Makes the source of credentials for a user of a kubeconfig: token, token file, password, client certificate, credential
 * plugin, auth provider, and impersonation on top.
 *
 * @param environment - that a credential plugin inherits
 * @param signal - ends a plugin that still runs when the cluster is closed
 */
export function createCredentialSource(
  target: ConnectionTarget,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
  now: () => number = Date.now,
): CredentialSource {
  const { user } = target;
  const impersonation = impersonationHeaders(user);
  const hasOwn = user.token ?? user.tokenFile ?? user.username;
  const load = async (): Promise<Credentials> => {
    const certificate = await clientCertificate(user);
    const usesFiles = [user.tokenFile, user["client-certificate"], user["client-key"]].some(Boolean);
    let credentials: Credentials = {
      headers: await authorizationHeader(user),
      certificate,
      expiresAtMs: usesFiles ? now() + rereadMs : undefined,
    };
    if (!hasOwn && user.exec) {
      // Most kubeconfigs need no plugin, and node:child_process takes time to load.
      const { runExecPlugin } = await import("./exec-plugin.ts");
      const fromPlugin = await runExecPlugin(target, user.exec, environment, signal);
      credentials = { ...fromPlugin, certificate: fromPlugin.certificate ?? certificate };
    } else if (!hasOwn && user["auth-provider"]) {
      credentials = { certificate, ...(await authProviderCredentials(target)) };
    }
    return { ...credentials, headers: { ...credentials.headers, ...impersonation } };
  };
  const renewable = Boolean(user.tokenFile ?? user.exec ?? user["auth-provider"] ?? user["client-certificate"]);
  return cacheCredentials(load, renewable, now);
}
