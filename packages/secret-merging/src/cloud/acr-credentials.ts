import type { Credential, Keychain } from "@slipway/core";

import { tokenExpiry } from "../token-expiry.ts";
import { cloudKeychain } from "./cloud-keychain.ts";
import { cloudFailure, importModule, loadOptional } from "./optional-module.ts";
import type { LoadModule } from "./optional-module.ts";

const packageName = "@azure/identity";
const source = "Azure Container Registry";
const tokenScope = "https://containerregistry.azure.net/.default";
/** Who the owner of a token is to the registry. */
const nobody = "00000000-0000-0000-0000-000000000000";

interface IdentityModule {
  readonly DefaultAzureCredential: new () => {
    getToken(scope: string, options: { abortSignal: AbortSignal }): Promise<{ token: string } | null>;
  };
}

/**
 * Credentials of Azure Container Registry (`<name>.azurecr.io`): a token of Entra ID, exchanged for a refresh token of the registry. Needs the
 * package `@azure/identity`.
 *
 * @throws `INVALID_OPTIONS` later, if the package is not installed, Azure refuses, or does not answer within 30 seconds
 */
export function acrCredentials(): Keychain {
  return createAcrCredentials(importModule, fetch);
}

/** {@link acrCredentials} with another way to load the library and to send requests. */
export function createAcrCredentials(load: LoadModule, send: typeof fetch): Keychain {
  return cloudKeychain({
    source,
    hosts: /^[a-z0-9-]+\.azurecr\.(?:io|cn|us)$/,
    examples: ["*.azurecr.io", "*.azurecr.cn", "*.azurecr.us"],
    ask: async (host, abortSignal) => {
      const { DefaultAzureCredential } = await loadOptional<IdentityModule>(packageName, source, load);
      const access = await new DefaultAzureCredential().getToken(tokenScope, { abortSignal });
      if (access === null) throw cloudFailure(source, new Error("Entra ID has no token for this identity"));
      return exchange(host, access.token, abortSignal, send);
    },
  });
}

async function exchange(host: string, token: string, signal: AbortSignal, send: typeof fetch): Promise<Credential> {
  const body = new URLSearchParams({ grant_type: "access_token", service: host, access_token: token });
  const response = await send(`https://${host}/oauth2/exchange`, { method: "POST", body, signal, redirect: "error" });
  if (!response.ok) throw cloudFailure(source, new Error(`${host} answered the exchange with ${response.status}`));
  const { refresh_token: refreshToken } = (await response.json()) as { refresh_token?: unknown };
  if (typeof refreshToken !== "string" || refreshToken === "")
    throw cloudFailure(source, new Error(`${host} answered the exchange without a token`));
  const expiresAtMs = tokenExpiry(refreshToken);
  return {
    ...{ source, type: "basic", username: nobody, password: refreshToken },
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
  };
}
