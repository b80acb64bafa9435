import type { Cluster, Secret, ServiceAccount } from "@slipway/cluster";
import type { DriverCall, KeychainCall } from "@slipway/core";

/** What a keychain may do where builds run. Each warning is told once. There is no pod yet that could run a credential helper: kaniko runs it itself. */
export function keychainCall(cluster: Cluster, { signal, emit }: Pick<DriverCall, "signal" | "emit">): KeychainCall {
  const warned = new Set<string>();
  return {
    signal,
    readSecret: async ({ name, namespace = cluster.namespace }) => {
      const secret = await cluster.get<Secret>({ apiVersion: "v1", kind: "Secret", namespace, name }, { signal });
      if (secret === undefined) return undefined;
      const decoded = Object.entries(secret.data ?? {}).map(
        ([key, text]) => [key, Buffer.from(text, "base64")] as const,
      );
      return { namespace, name, type: secret.type ?? "Opaque", data: Object.fromEntries(decoded) };
    },
    readServiceAccount: async ({ name, namespace = cluster.namespace }) => {
      const reference = { apiVersion: "v1", kind: "ServiceAccount", namespace, name };
      const account = await cluster.get<ServiceAccount>(reference, { signal });
      if (account === undefined) return undefined;
      const imagePullSecrets = (account.imagePullSecrets ?? []).flatMap((secret) => secret.name ?? []);
      return { namespace, name, imagePullSecrets };
    },
    warn: (message) => {
      if (warned.has(message)) return;
      warned.add(message);
      emit({ type: "warning", message });
    },
  };
}
