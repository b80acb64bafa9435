import type { Cluster, Secret } from "@slipway/cluster";
import { BuilderError, type Keychain, type KeychainCall } from "@slipway/core";

import { pulledImages, type ImagePullSecretOptions, type PulledImage } from "../projections/image-pull-secrets.ts";
import { canonicalHost, scopeFit } from "../registry-scope.ts";
import { pullSecretKey, pullSecretSelector, type PullSecretOwner } from "./pull-secret-object.ts";

/** Whose Secrets are looked through, and what decides which of them are needed. */
export interface ObsoleteSecretsQuery extends ImagePullSecretOptions {
  readonly owner: PullSecretOwner;
  /** Names of those that are needed. */
  readonly wanted: readonly string[];
}

/**
 * The names of Secrets that an owner made for the same images or registries earlier, and whose credentials are gone: removed, or given for another
 * path now. A source that cannot be read at the moment has lost nothing: its Secrets stay.
 */
export async function obsoleteSecrets(
  cluster: Pick<Cluster, "list">,
  { owner, wanted, keychain, images, aliases }: ObsoleteSecretsQuery,
  call: KeychainCall,
): Promise<readonly string[]> {
  const resource = { apiVersion: "v1", kind: "Secret", namespace: owner.namespace };
  const { items } = await cluster.list<Secret>(resource, { labelSelector: pullSecretSelector, signal: call.signal });
  const pulled = pulledImages(images, aliases);
  const names: string[] = [];
  for (const secret of items) {
    const name = secret.metadata?.name;
    const key = pullSecretKey(secret, owner);
    if (name === undefined || key === undefined || wanted.includes(name)) continue;
    const served = pulled.filter((image) => isFor(key, image));
    if (served.length > 0 && (await areKnown(served, keychain, call))) names.push(name);
  }
  return names;
}

/** Whether the credentials under a key are among those for an image, or for a registry as a whole. */
function isFor(key: string, { host, repository }: PulledImage): boolean {
  const [keyHost, ...path] = key.split("/");
  return keyHost === host && scopeFit({ host: canonicalHost(host), path }, host, repository) !== undefined;
}

/** Whether the keychain tells all that it has for these images: without somebody to warn it fails where it cannot. */
async function areKnown(images: readonly PulledImage[], keychain: Keychain, call: KeychainCall): Promise<boolean> {
  const { warn: _, ...silent } = call;
  try {
    for (const { resource } of images) {
      const candidates = await keychain.resolve(resource, silent);
      // What a helper would say is known where it runs.
      if (candidates.some(({ type }) => type === "helper")) return false;
    }
    return true;
  } catch (error) {
    if (BuilderError.isInstance(error) && error.code === "INVALID_OPTIONS") return false;
    throw error;
  }
}
