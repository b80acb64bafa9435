import { generateKeyPairSync, randomBytes } from "node:crypto";

/** What may be done with a repository. */
export type RepositoryAction = "pull" | "push" | "delete";

/** Actions by repository: `team/app`, `team/*` for all below, `*` for all; the catalog is `registry:catalog` with the action `*`. */
export type TokenRights = Readonly<Record<string, readonly (RepositoryAction | "*")[]>>;

/** Who may do what. */
export interface TokenUsers {
  readonly users: Readonly<Record<string, { readonly password: string; readonly rights: TokenRights }>>;
  /** What those may who bring no credentials. @defaultValue nothing */
  readonly anonymous?: TokenRights;
}

/** How a token server behaves. */
export interface TokenServerOptions extends TokenUsers {
  /** @defaultValue 300 */
  readonly tokenLifetimeSeconds?: number;
  /** Answer POST with 404, as servers do that know only GET. @defaultValue false */
  readonly refusePost?: boolean;
}

/** What a registry has to know of the token server that it trusts. */
export interface TokenAuthority {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  /** The JSON Web Key Set by which its tokens are checked. */
  readonly jwks: string;
}

/** One line of a token server's journal. */
export interface TokenRequest {
  readonly time: string;
  readonly method: string;
  readonly host: string;
  readonly user: string;
  readonly clientId: string;
  readonly grant: "anonymous" | "basic" | "password" | "refresh_token" | "";
  readonly service: string;
  readonly status: number;
  /** `type:name:action,action` */
  readonly requested: readonly string[];
  readonly granted: readonly string[];
}

/** A key to sign tokens with, and the configuration of a token server that has it. */
export interface TokenSigner {
  readonly service: string;
  readonly issuer: string;
  readonly jwks: string;
  /** The content of the server's configuration file. */
  configuration(options: TokenServerOptions): string;
}

/** Makes a key. */
export function createTokenSigner(): TokenSigner {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const keyId = randomBytes(8).toString("hex");
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: keyId, alg: "ES256", use: "sig" };
  const service = "slipway-e2e-registry";
  const issuer = "slipway-e2e";
  return {
    service,
    issuer,
    jwks: JSON.stringify({ keys: [jwk] }),
    configuration: ({ tokenLifetimeSeconds = 300, ...options }) =>
      JSON.stringify({
        issuer,
        services: [service],
        privateKey: privateKey.export({ format: "pem", type: "pkcs8" }),
        keyId,
        tokenLifetimeSeconds,
        ...options,
      }),
  };
}
