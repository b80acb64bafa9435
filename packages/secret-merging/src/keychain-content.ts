import type { Credential, Keychain, KeychainCall } from "@slipway/core";

import { printsAs } from "./prints-as.ts";
import type { RegistryScope } from "./registry-scope.ts";

/** All that a source of credentials knows, whatever registry it is asked about. */
export interface KeychainContent {
  readonly entries: readonly KeychainEntry[];
  readonly problems: readonly EntryProblem[];
}

/** Credentials, or where to get them, and what they are for. */
export type KeychainEntry = Readonly<{
  /** As diagnostics name it: `secret builds/regcred`. */
  source: string;
  /** The registry, spelled as in the source. */
  key: string;
  /** `"any"`: for every registry. */
  scope: RegistryScope | "any";
  /** A type of Secret that the kubelet does not read, or none of the cluster at all. */
  unknownToKubelet?: boolean;
}> &
  (
    | { readonly type: "credential"; readonly credential: Credential }
    /** A program that knows; an empty name means that none shall be asked. */
    | { readonly type: "helper"; readonly helper: string }
    /** A service of a cloud, asked when it is needed, about hosts of its own; the scope is one of them as people would write it. */
    | { readonly type: "provider"; readonly hosts: RegExp }
  );

/** Something in a source that cannot be used. */
export interface EntryProblem {
  readonly source: string;
  /** The entry; without one it is the whole source. */
  readonly key?: string;
  readonly scope?: RegistryScope;
  readonly message: string;
  /** Worth a warning at most, such as a Secret that is not there yet. */
  readonly harmless?: boolean;
}

/** What a source can tell beyond the answers of a keychain. */
export type KeychainSource = Readonly<{ find: RankedFinder }> &
  (
    | Readonly<{ read: (call: KeychainCall) => Promise<KeychainContent>; parts?: never }>
    /** The keychains that it is made of, in their order. */
    | Readonly<{ parts: readonly Keychain[]; read?: never }>
  );

/** Candidates with how well they fit. */
export type RankedFinder = (
  resource: Parameters<Keychain["resolve"]>[0],
  call: KeychainCall,
) => Promise<readonly RankedCredential[]>;

/** A candidate; the higher the rank, the earlier it is tried. */
export interface RankedCredential {
  readonly rank: number;
  readonly credential: Credential;
  /** The keychain that it comes from, as far as it is one of this package. */
  readonly origin?: Keychain | undefined;
}

// Beside the keychains and not in them, so that whatever prints a keychain prints none of this.
const sources = new WeakMap<Keychain, KeychainSource>();
const ranks = new WeakMap<Credential, number>();
const origins = new WeakMap<Credential, Keychain>();

/** Makes a keychain of a source. */
export function keychainOf(source: KeychainSource): Keychain {
  const keychain: Keychain = {
    resolve: async (resource, call) =>
      (await source.find(resource, call)).map((candidate) => handOut({ origin: keychain, ...candidate })),
  };
  sources.set(keychain, source);
  return keychain;
}

/** The source behind a keychain of this package. */
export function sourceOf(keychain: Keychain): KeychainSource | undefined {
  return sources.get(keychain);
}

/** The keychains that others are put together from, in their order. */
export function leavesOf(keychains: readonly Keychain[]): readonly Keychain[] {
  return keychains.flatMap((keychain) => {
    const parts = sourceOf(keychain)?.parts;
    return parts === undefined ? [keychain] : leavesOf(parts);
  });
}

/** How well a credential fits what it was found for, also when another keychain has passed it on; `undefined` if it is not of this package. */
export function rankOfCredential(credential: Credential): number | undefined {
  return ranks.get(credential);
}

/** The keychain of this package that a credential is from, also when another keychain has passed it on. */
export function originOfCredential(credential: Credential): Keychain | undefined {
  return origins.get(credential);
}

/** A copy that prints as what diagnostics may say. */
function handOut({ rank, credential, origin }: RankedCredential): Credential {
  const { source, type, scope, expiresAtMs } = credential;
  const copy = printsAs(credential, {
    source,
    type,
    ...(scope === undefined ? {} : { scope }),
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
  });
  ranks.set(copy, rank);
  if (origin !== undefined) origins.set(copy, origin);
  return copy;
}
