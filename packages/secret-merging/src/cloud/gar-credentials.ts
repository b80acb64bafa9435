import type { Keychain } from "@slipway/core";

import { cloudKeychain } from "./cloud-keychain.ts";
import { cloudFailure, importModule, loadOptional } from "./optional-module.ts";
import type { LoadModule } from "./optional-module.ts";

const packageName = "google-auth-library";
const source = "Google Cloud";

interface GoogleAuthModule {
  readonly GoogleAuth: new (options: { scopes: readonly string[] }) => {
    getClient(): Promise<{
      getAccessToken(): Promise<{ token?: string | null }>;
      readonly credentials: { readonly expiry_date?: number | null };
    }>;
  };
}

/**
 * Credentials of Google's Artifact Registry (`<location>-docker.pkg.dev`, `gcr.io`), which are valid for an hour, or for minutes with workload
 * identity. Needs the package `google-auth-library`, and application default credentials.
 *
 * @throws `INVALID_OPTIONS` later, if the package is not installed, Google refuses, or does not answer within 30 seconds
 */
export function garCredentials(): Keychain {
  return createGarCredentials(importModule);
}

/** {@link garCredentials} with another way to load the library. */
export function createGarCredentials(load: LoadModule): Keychain {
  return cloudKeychain({
    source,
    hosts: /^(?:[a-z0-9-]+\.pkg\.dev|(?:[a-z0-9-]+\.)?gcr\.io)$/,
    examples: ["*.pkg.dev", "gcr.io", "*.gcr.io"],
    ask: async () => {
      const { GoogleAuth } = await loadOptional<GoogleAuthModule>(packageName, source, load);
      const client = await new GoogleAuth({
        scopes: ["https://www.googleapis.com/auth/cloud-platform"],
      }).getClient();
      const { token } = await client.getAccessToken();
      if (!token) throw cloudFailure(source, new Error("its answer has no token"));
      const expiresAtMs = client.credentials.expiry_date ?? undefined;
      return {
        ...{ source, type: "basic", username: "oauth2accesstoken", password: token },
        ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
      };
    },
  });
}
