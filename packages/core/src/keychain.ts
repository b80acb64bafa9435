/** Finds credentials at the moment they are needed, so that a rotated secret needs no restart. */
export interface Keychain {
  /** Candidates, best first; none means anonymous. */
  resolve(resource: RegistryResource, call: KeychainCall): Promise<readonly Credential[]>;
}

/** What a keychain may use while it looks. */
export interface KeychainCall {
  readonly signal: AbortSignal;
  /** Reads a Secret where the builder lives, so that `pullSecret({ name })` needs no connection of its own. */
  readonly readSecret?: (secret: NameInCluster) => Promise<SecretData | undefined>;
  /** Reads which Secrets a ServiceAccount pulls with. */
  readonly readServiceAccount?: (account: NameInCluster) => Promise<ServiceAccountData | undefined>;
  /**
   * Runs `docker-credential-<helper> get` where the builder lives: the helper that a Secret of the cluster names is no program of this machine.
   * Without it such a Secret yields credentials of type `helper`.
   */
  readonly runCredentialHelper?: (helper: string, serverUrl: string) => Promise<HelperOutput>;
  /**
   * Names the place where `runCredentialHelper` runs helpers: cluster, namespace and pod, as `https://10.0.0.1:6443 builds/slipway-7d4b9-x2x7p`, or the builder whose pods are alike. A
   * helper answers with the identity that it has there, so keychains keep its answer for this place alone: for 80 % of the life that it states, at
   * most 5 minutes, or 5 seconds without one. Two places must never have the same name.
   *
   * @defaultValue none: nobody can tell whose the answers are, so none is kept, and each question runs the helper anew
   */
  readonly helperSite?: string;
  /** Says what is wrong with one source while the others serve: an entry that cannot be read, two that contradict each other. */
  readonly warn?: (message: string) => void;
}

/** An object of the cluster by its name, in the builder's namespace unless another one is given. */
export type NameInCluster = Readonly<{ name: string; namespace?: string }>;

/** The Secrets that a ServiceAccount's pods pull with, by name, all of its own namespace. */
export type ServiceAccountData = Readonly<{ namespace: string; name: string; imagePullSecrets: readonly string[] }>;

/** How a credential helper has ended, and what it has printed. */
export type HelperOutput = Readonly<{ status: number; output: string }>;

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
  { source: string; expiresAtMs?: number; /** Path of the repositories that it is limited to. */ scope?: string } & (
    | { type: "basic"; username: string; password: string }
    | { type: "identity-token" | "registry-token"; token: string }
    /** Whoever runs `docker-credential-<helper>` in the cluster has it. */
    | { type: "helper"; helper: string; serverUrl: string }
  )
>;
