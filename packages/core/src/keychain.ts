/** Finds credentials at the moment they are needed, so that a rotated secret needs no restart. */
export interface Keychain {
  /** Candidates, best first; none means anonymous. */
  resolve(resource: RegistryResource, call: KeychainCall): Promise<readonly Credential[]>;
}

/** What a keychain may use while it looks. */
export interface KeychainCall {
  readonly signal: AbortSignal;
  /** Reads a Secret where the builder lives, so that `pullSecret({ name })` needs no connection of its own. */
  readonly readSecret?: (secret: {
    readonly name: string;
    readonly namespace?: string;
  }) => Promise<SecretData | undefined>;
}

/** A Secret as Kubernetes has it, with its values decoded. */
export type SecretData = Readonly<{
  namespace: string;
  name: string;
  type: string;
  data: Readonly<Record<string, Uint8Array>>;
}>;

/** What credentials are wanted for. */
export type RegistryResource = Readonly<{
  registry: string;
  repository?: string;
  actions: readonly ("pull" | "push" | "delete")[];
}>;

/** Never logged, never part of an event or error; diagnostics name its `source`: `secret builds/regcred`. */
export type Credential = Readonly<
  { source: string; expiresAtMs?: number } & (
    { type: "basic"; username: string; password: string } | { type: "identity-token" | "registry-token"; token: string }
  )
>;
