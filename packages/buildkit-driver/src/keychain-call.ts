import type { Cluster, ServiceAccount } from "@slipway/cluster";
import type { DriverCall, KeychainCall } from "@slipway/core";

import { runCredentialHelper } from "./run-credential-helper.ts";
import { secretReader } from "./read-secret.ts";

/** What a keychain may do where the builder lives. Each warning is told once. */
export function keychainCall(
  cluster: Cluster,
  pod: { readonly namespace: string; readonly name: string },
  { signal, emit }: Pick<DriverCall, "signal" | "emit">,
): KeychainCall {
  const warned = new Set<string>();
  return {
    signal,
    readSecret: secretReader(cluster, pod.namespace, signal),
    readServiceAccount: async ({ name, namespace = pod.namespace }) => {
      const reference = { apiVersion: "v1", kind: "ServiceAccount", namespace, name };
      const account = await cluster.get<ServiceAccount>(reference, { signal });
      if (account === undefined) return undefined;
      const imagePullSecrets = (account.imagePullSecrets ?? []).flatMap((secret) => secret.name ?? []);
      return { namespace, name, imagePullSecrets };
    },
    runCredentialHelper: (helper, serverUrl) => runCredentialHelper(cluster, pod, { helper, serverUrl, signal }),
    warn: (message) => {
      if (warned.has(message)) return;
      warned.add(message);
      emit({ type: "warning", message });
    },
  };
}
