import type { CredentialConflict } from "./credential-conflict.ts";

/** What keychains hold, and what is wrong with it. It has names only: no password, no token, no user. */
export interface KeychainReport {
  readonly entries: readonly ReportedEntry[];
  /** Different credentials for the same host or path, as it is written; helpers and clouds count by name, since they are not asked. */
  readonly conflicts: readonly CredentialConflict[];
  /** Entries, or whole sources, that are passed over because they cannot be read. */
  readonly problems: readonly ReportedProblem[];
  /** Entries that add nothing, since an earlier source has the same. */
  readonly shadowed: readonly ShadowedEntry[];
  /** Entries that are good for a build and that another program which reads such files cannot use. */
  readonly unusable: readonly UnusableEntry[];
  /** Credentials that end within the next hour, or have ended. */
  readonly expiring: readonly ExpiringEntry[];
  /** Hosts with wildcards, which only the kubelet and Slipway understand. */
  readonly globs: readonly { readonly source: string; readonly key: string }[];
  /** How many keychains cannot tell what they hold, because they are not of this package. */
  readonly opaque: number;
}

/** An entry by its name. */
export interface ReportedEntry {
  readonly source: string;
  /** Canonical: `registry.example.com/team`; `*` is every registry. */
  readonly scope: string;
  readonly type: "basic" | "identity-token" | "registry-token" | "helper" | "provider";
}

/** Something that cannot be read. */
export interface ReportedProblem {
  readonly source: string;
  /** The entry; without one it is the whole source. */
  readonly key?: string;
  readonly message: string;
}

/** An entry that an earlier one makes needless. */
export interface ShadowedEntry {
  readonly source: string;
  readonly scope: string;
  readonly by: string;
}

/** Programs that read the same files by rules of their own. */
export type CredentialConsumer = "kubelet" | "buildctl" | "kaniko";

/** An entry that a program cannot use. */
export interface UnusableEntry {
  readonly consumer: CredentialConsumer;
  readonly source: string;
  readonly scope: string;
  readonly reason: string;
}

/** An entry that ends soon. */
export interface ExpiringEntry {
  readonly source: string;
  readonly scope: string;
  readonly expiresAtMs: number;
}
