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
