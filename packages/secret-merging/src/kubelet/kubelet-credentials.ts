import type { KeychainCall, SecretData } from "@slipway/core";

import { noCluster } from "../pull-secret.ts";
import { splitImage } from "../projections/image-name.ts";
import type { KubeletLookup } from "./kubelet-lookup.ts";
import { kubeletLookup } from "./kubelet-lookup.ts";

/** A pod that is to run an image. */
export interface KubeletCredentialsOptions {
  /** As the pod names it: `registry/repository[:tag][@digest]`, or `nginx:1`, which is `docker.io/library/nginx`. */
  readonly image: string;
  /** @defaultValue the namespace of the builder */
  readonly namespace?: string | undefined;
  /** The account that the pod runs under. @defaultValue `"default"` */
  readonly serviceAccount?: string | undefined;
  /** Names of the Secrets that the pod itself names; with them Kubernetes does not look at the account's. @defaultValue none */
  readonly imagePullSecrets?: readonly string[] | undefined;
}

/**
 * What a node would pull an image with, by the rules of the kubelet: the Secrets of the pod, else those of its ServiceAccount.
 *
 * With a `failure` the node pulls nothing. With credentials it tries these and never asks anonymously. Without any it asks anonymously, and gets
 * what is public. What the node itself is configured with, and its credential providers, nobody sees from here.
 */
export async function kubeletCredentials(
  { image, namespace, serviceAccount = "default", imagePullSecrets = [] }: KubeletCredentialsOptions,
  { readSecret, readServiceAccount }: KeychainCall,
): Promise<KubeletLookup> {
  if (readSecret === undefined || readServiceAccount === undefined) throw noCluster(`pull secrets for ${image}`);
  const where = namespace === undefined ? {} : { namespace };
  const account =
    imagePullSecrets.length > 0 ? undefined : await readServiceAccount({ name: serviceAccount, ...where });
  const names = account?.imagePullSecrets ?? imagePullSecrets;
  const home = account === undefined ? where : { namespace: account.namespace };
  const secrets = await Promise.all(names.map((name) => readSecret({ name, ...home })));
  const { host, repository } = splitImage(image);
  // The kubelet passes over a Secret that does not exist.
  const present = secrets.filter((secret): secret is SecretData => secret !== undefined);
  return kubeletLookup(present, `${host}/${repository}`);
}
