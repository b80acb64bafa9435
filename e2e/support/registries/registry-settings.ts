import type { TokenAuthority } from "./token-authority.ts";

/** Environment variables that make distribution 3 ask for a password; `file` is where it finds the hashes. */
export function htpasswdSettings(file: string): Readonly<Record<string, string>> {
  return {
    REGISTRY_AUTH: "htpasswd",
    REGISTRY_AUTH_HTPASSWD_REALM: "slipway-e2e",
    REGISTRY_AUTH_HTPASSWD_PATH: file,
  };
}

/** Environment variables that make distribution 3 ask for a token; `jwksFile` is where it finds the keys. */
export function tokenSettings(authority: TokenAuthority, jwksFile: string): Readonly<Record<string, string>> {
  return {
    REGISTRY_AUTH: "token",
    REGISTRY_AUTH_TOKEN_REALM: authority.realm,
    REGISTRY_AUTH_TOKEN_SERVICE: authority.service,
    REGISTRY_AUTH_TOKEN_ISSUER: authority.issuer,
    REGISTRY_AUTH_TOKEN_JWKS: jwksFile,
  };
}
