import type { Cluster, Secret } from "@slipway/cluster";
import { BuilderError, type Keychain, type KeychainCall } from "@slipway/core";

import type { PulledImage } from "../projections/image-pull-secrets.ts";
import { loginsUnder } from "../projections/key-logins.ts";
import { canonicalHost, scopeFit } from "../registry-scope.ts";
import { pullSecretKey, pullSecretName, pullSecretSelector, type PullSecretOwner } from "./pull-secret-object.ts";

/** Whose Secrets are looked through, and what decides which of them are needed. */
export interface ObsoleteSecretsQuery {
  readonly pulled: readonly PulledImage[];
  readonly keychain: Keychain;
  readonly owner: PullSecretOwner;
  /** Names of those that are needed. */
  readonly wanted: readonly string[];
}

/**
 * The names of Secrets that an owner made for the same images or registries earlier, and whose credentials are gone: removed, or given for another
 * path now. What the keychain still has under the key of a Secret is not gone, also where these images do without it: other builds may need it. A
 * source that cannot be read at the moment has lost nothing: its Secrets stay.
 */
export async function obsoleteSecrets(
  cluster: Pick<Cluster, "list">,
  query: ObsoleteSecretsQuery,
  call: KeychainCall,
): Promise<readonly string[]> {
  const resource = { apiVersion: "v1", kind: "Secret", namespace: query.owner.namespace };
  const { items } = await cluster.list<Secret>(resource, { labelSelector: pullSecretSelector, signal: call.signal });
  const obsolete: string[] = [];
  for (const [key, names] of unneeded(items, query)) {
    const served = query.pulled.filter((image) => isFor(key, image));
    obsolete.push(...(await goneOf({ key, names, served }, query, call)));
  }
  return obsolete;
}

/** The names of an owner's Secrets that are not needed now, by key. */
function unneeded(
  items: readonly Secret[],
  { owner, wanted }: ObsoleteSecretsQuery,
): ReadonlyMap<string, readonly string[]> {
  const byKey = new Map<string, string[]>();
  for (const secret of items) {
    const name = secret.metadata?.name;
    const key = pullSecretKey(secret, owner);
    if (name === undefined || key === undefined || wanted.includes(name)) continue;
    byKey.set(key, [...(byKey.get(key) ?? []), name]);
  }
  return byKey;
}

/** Whether the credentials under a key are among those for an image, or for a registry as a whole. */
function isFor(key: string, { host, repository }: PulledImage): boolean {
  const [keyHost, ...path] = key.split("/");
  return keyHost === host && scopeFit({ host: canonicalHost(host), path }, host, repository) !== undefined;
}

/** Secrets of one key, and the images that were pulled with them. */
interface KeySecrets {
  readonly key: string;
  readonly names: readonly string[];
  readonly served: readonly PulledImage[];
}

async function goneOf(
  { key, names, served }: KeySecrets,
  { owner, keychain }: ObsoleteSecretsQuery,
  call: KeychainCall,
): Promise<readonly string[]> {
  const [image] = served;
  if (image === undefined) return [];
  try {
    const logins = await loginsUnder(key, image.resource.registry, keychain, call);
    const given = logins.map((_, index) => pullSecretName({ key, index }, owner));
    const gone = names.filter((name) => !given.includes(name));
    return gone.length > 0 && (await areKnown(served, keychain, call)) ? gone : [];
  } catch (error) {
    if (BuilderError.isInstance(error) && error.code === "INVALID_OPTIONS") return [];
    throw error;
  }
}

/**
 * Whether no helper that runs elsewhere knows more about these images.
 *
 * @throws `INVALID_OPTIONS` if a source cannot be read, since there is nobody to warn
 */
async function areKnown(images: readonly PulledImage[], keychain: Keychain, call: KeychainCall): Promise<boolean> {
  const { warn: _, ...silent } = call;
  for (const { resource } of images) {
    const candidates = await keychain.resolve(resource, silent);
    // What a helper would say is known where it runs.
    if (candidates.some(({ type }) => type === "helper")) return false;
  }
  return true;
}
