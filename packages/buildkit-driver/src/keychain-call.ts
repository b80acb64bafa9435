import { keychainCall as clusterKeychainCall, type Cluster } from "@slipway/cluster";
import type { DriverCall, KeychainCall } from "@slipway/core";

import { runCredentialHelper } from "./run-credential-helper.ts";

/** What a keychain may do where the builder lives, with the credential helpers of its pod. */
export function keychainCall(
  cluster: Cluster,
  pod: { readonly namespace: string; readonly name: string },
  call: Pick<DriverCall, "signal" | "emit">,
): KeychainCall {
  const { signal } = call;
  return {
    ...clusterKeychainCall(cluster, call),
    helperSite: `${cluster.server} ${pod.namespace}/${pod.name}`,
    runCredentialHelper: (helper, serverUrl) => runCredentialHelper(cluster, pod, { helper, serverUrl, signal }),
  };
}

/**
 * Does something with what a keychain may do for a builder that may not run: a pod is found, and made ready, when the first helper has to be run.
 *
 * @throws why there is no pod, if one was wanted: keychains pass over a helper that cannot be run, and would seem to have nothing
 */
export async function withSleepingBuilder<Result>(
  cluster: Cluster,
  builder: { readonly name: string; readonly findPod: () => Promise<string> },
  call: Pick<DriverCall, "signal" | "emit">,
  work: (keys: KeychainCall) => Promise<Result>,
): Promise<Result> {
  const { signal } = call;
  const { namespace } = cluster;
  let pod: Promise<string> | undefined;
  const result = await work({
    ...clusterKeychainCall(cluster, call),
    helperSite: `${cluster.server} ${namespace}/${builder.name} (builder)`,
    runCredentialHelper: async (helper, serverUrl) => {
      pod ??= builder.findPod();
      return runCredentialHelper(cluster, { namespace, name: await pod }, { helper, serverUrl, signal });
    },
  });
  await pod;
  return result;
}
