import { parseOptions } from "@slipway/core";
import type { Keychain, KeychainCall, OptionsShape } from "@slipway/core";
import * as z from "zod/mini";

import type { ClusterAccessOptions, ConnectCluster } from "./cluster-access.ts";
import { withCluster } from "./cluster-access.ts";
import { clusterHelper } from "./cluster-helper.ts";
import { createCredentialCache } from "./credential-cache.ts";
import { findCredentials } from "./find-credentials.ts";
import { invalidCredentials } from "./invalid-credentials.ts";
import type { KeychainContent } from "./keychain-content.ts";
import { keychainOf } from "./keychain-content.ts";
import { noCluster, objectName } from "./pull-secret.ts";
import { readPullSecret, secretSource } from "./pull-secret-content.ts";

/** Whose pull Secrets hold the credentials. */
export interface ServiceAccountSecretsOptions extends ClusterAccessOptions {
  /** Name of the ServiceAccount. @defaultValue `"default"` */
  readonly name?: string | undefined;
  /** @defaultValue the namespace of the builder; with a `kubeconfig` or `context`, the namespace of that */
  readonly namespace?: string | undefined;
}

const serviceAccountSecretsOptionsSchema = z.strictObject({
  name: z.optional(objectName),
  namespace: z.optional(z.string().check(z.minLength(1))),
  kubeconfig: z.optional(z.string().check(z.minLength(1))),
  context: z.optional(z.string().check(z.minLength(1))),
} satisfies OptionsShape<ServiceAccountSecretsOptions>);

/**
 * The credentials that pods of a ServiceAccount pull with: its `imagePullSecrets`, in their order, read anew each time. A Secret that is named
 * there and does not exist is passed over with a warning, as the kubelet does it.
 *
 * @throws `INVALID_OPTIONS` at once for wrong options; later, when a build needs credentials, for an account that does not exist.
 */
export function serviceAccountSecrets(options: ServiceAccountSecretsOptions = {}): Keychain {
  return createServiceAccountSecrets(options);
}

/** {@link serviceAccountSecrets} with another way to connect. */
export function createServiceAccountSecrets(options: ServiceAccountSecretsOptions, connect?: ConnectCluster): Keychain {
  const parsed = parseOptions(serviceAccountSecretsOptionsSchema, options, "serviceAccountSecrets");
  const { name = "default", namespace, ...access } = parsed;
  const cache = createCredentialCache();
  const account = { name, ...(namespace === undefined ? {} : { namespace }) };
  return keychainOf({
    read: (call) => withCluster(access, call, (own) => readAccount(account, own), connect),
    find: (resource, call) =>
      withCluster(
        access,
        call,
        async (own) => findCredentials(await readAccount(account, own), resource, own, clusterHelper(own, cache)),
        connect,
      ),
  });
}

async function readAccount(
  account: { readonly name: string; readonly namespace?: string },
  { readServiceAccount, readSecret }: KeychainCall,
): Promise<KeychainContent> {
  const wanted = `service account ${account.namespace === undefined ? "" : `${account.namespace}/`}${account.name}`;
  if (readServiceAccount === undefined || readSecret === undefined) throw noCluster(wanted);
  const found = await readServiceAccount(account);
  if (found === undefined)
    throw invalidCredentials(wanted, `The ${wanted} does not exist. Create it, or name another one`);
  const contents = await Promise.all(
    found.imagePullSecrets.map(async (name): Promise<KeychainContent> => {
      const secret = await readSecret({ name, namespace: found.namespace });
      if (secret !== undefined) return readPullSecret(secret);
      const source = secretSource({ name, namespace: found.namespace });
      const message = `The ${source}, which the ${wanted} names, does not exist. Create it, or take it out of imagePullSecrets`;
      return { entries: [], problems: [{ source, message, harmless: true }] };
    }),
  );
  const entries = contents.flatMap((content) => content.entries);
  return {
    // As they are tried: what a helper says comes before what any of the Secrets holds.
    entries: entries.toSorted((first, second) => Number(second.type === "helper") - Number(first.type === "helper")),
    problems: contents.flatMap(({ problems }) => problems),
  };
}
