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
import { readPullSecret } from "./pull-secret-content.ts";

/** Which Secret of the cluster holds the credentials. */
export interface PullSecretOptions extends ClusterAccessOptions {
  readonly name: string;
  /** @defaultValue the namespace of the builder; with a `kubeconfig` or `context`, the namespace of that */
  readonly namespace?: string | undefined;
}

export const objectName = z
  .string()
  .check(z.regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, "Is no name of a Kubernetes object"));

const pullSecretOptionsSchema = z.strictObject({
  name: objectName,
  namespace: z.optional(z.string().check(z.minLength(1))),
  kubeconfig: z.optional(z.string().check(z.minLength(1))),
  context: z.optional(z.string().check(z.minLength(1))),
} satisfies OptionsShape<PullSecretOptions>);

/**
 * The credentials in a Secret of the cluster where the builder lives: of type `kubernetes.io/dockerconfigjson`, `kubernetes.io/dockercfg`, or
 * `Opaque` with a key `config.json` or `.dockerconfigjson`. It is read anew each time, so a rotated one needs no restart. Credential helpers
 * that it names are run in the builder's pod, never on this machine. With `kubeconfig` or `context` it needs no builder.
 *
 * @throws `INVALID_OPTIONS` at once for wrong options; later, when a build needs credentials, for a Secret that is missing, and for one that
 * holds something else unless the builder goes on with a warning.
 */
export function pullSecret(options: PullSecretOptions): Keychain {
  return createPullSecret(options);
}

/** {@link pullSecret} with another way to connect. */
export function createPullSecret(options: PullSecretOptions, connect?: ConnectCluster): Keychain {
  const { name, namespace, ...access } = parseOptions(pullSecretOptionsSchema, options, "pullSecret");
  const cache = createCredentialCache();
  const readHere = async (call: KeychainCall): Promise<KeychainContent> => {
    const wanted = namespace === undefined ? `secret ${name}` : `secret ${namespace}/${name}`;
    if (call.readSecret === undefined) throw noCluster(wanted);
    const secret = await call.readSecret({ name, ...(namespace === undefined ? {} : { namespace }) });
    if (secret === undefined) throw missing(wanted, name, namespace);
    return readPullSecret(secret);
  };
  return keychainOf({
    read: (call) => withCluster(access, call, readHere, connect),
    find: (resource, call) =>
      withCluster(
        access,
        call,
        async (own) => findCredentials(await readHere(own), resource, own, clusterHelper(own, cache)),
        connect,
      ),
  });
}

/** The error for a source that lives in a cluster where there is none. */
export function noCluster(wanted: string): Error {
  const remedies = [
    "Outside of a builder, give the call the keychainReaders of @slipway/cluster",
    "or the keychain a kubeconfig or a context",
    "or use dockerConfig() instead",
  ];
  return invalidCredentials(wanted, `There is no cluster to read the ${wanted} from. ${remedies.join(", ")}`);
}

function missing(wanted: string, name: string, namespace: string | undefined): Error {
  const inNamespace = namespace === undefined ? "" : ` --namespace ${namespace}`;
  const remedy = `kubectl create secret docker-registry ${name}${inNamespace} --docker-server=…`;
  return invalidCredentials(wanted, `The ${wanted} does not exist. Create it with ${remedy}`);
}
