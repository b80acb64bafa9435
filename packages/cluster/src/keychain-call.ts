import type { DriverCall, KeychainCall } from "@slipway/core";

import type { Cluster } from "./cluster.ts";
import type { Secret, ServiceAccount } from "./rest/kubernetes-object.ts";

/** What keychains read of a cluster, from the connection's namespace unless they name another one. */
export function keychainReaders(
  cluster: Pick<Cluster, "get" | "namespace">,
  signal: AbortSignal,
): Required<Pick<KeychainCall, "readSecret" | "readServiceAccount">> {
  return {
    readSecret: async ({ name, namespace = cluster.namespace }) => {
      const secret = await cluster.get<Secret>({ apiVersion: "v1", kind: "Secret", namespace, name }, { signal });
      if (secret === undefined) return undefined;
      const data = Object.entries(secret.data ?? {}).map(
        ([key, value]) => [key, Buffer.from(value, "base64")] as const,
      );
      return { namespace, name, type: secret.type ?? "Opaque", data: Object.fromEntries(data) };
    },
    readServiceAccount: async ({ name, namespace = cluster.namespace }) => {
      const reference = { apiVersion: "v1", kind: "ServiceAccount", namespace, name };
      const account = await cluster.get<ServiceAccount>(reference, { signal });
      if (account === undefined) return undefined;
      const imagePullSecrets = (account.imagePullSecrets ?? []).flatMap((secret) => secret.name ?? []);
      return { namespace, name, imagePullSecrets };
    },
  };
}

/** What a keychain may do where builds run, for a driver to pass on. Each warning is told once. A driver whose pods have credential helpers adds how to run them. */
export function keychainCall(
  cluster: Pick<Cluster, "get" | "namespace">,
  { signal, emit }: Pick<DriverCall, "signal" | "emit">,
): KeychainCall {
  const warned = new Set<string>();
  return {
    signal,
    ...keychainReaders(cluster, signal),
    warn: (message) => {
      if (warned.has(message)) return;
      warned.add(message);
      emit({ type: "warning", message });
    },
  };
}
