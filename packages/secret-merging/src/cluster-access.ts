import type { Cluster, ClusterOptions, Secret, ServiceAccount } from "@slipway/cluster";
import type { KeychainCall } from "@slipway/core";

/** Which cluster a keychain reads by itself, where no builder does it. */
export interface ClusterAccessOptions {
  /** Path of a kubeconfig. @defaultValue the builder's own cluster; with a `context`, as kubectl finds it */
  readonly kubeconfig?: string | undefined;
  /** @defaultValue the builder's own cluster; with a `kubeconfig`, its current context */
  readonly context?: string | undefined;
}

/** Connects to a cluster; for tests to replace. */
export type ConnectCluster = (
  options: ClusterOptions,
  call: { readonly signal: AbortSignal },
) => Promise<Pick<Cluster, "get" | "namespace" | "close">>;

const connectLazily: ConnectCluster = async (options, call) => {
  const { connectCluster } = await import("@slipway/cluster");
  return connectCluster(options, call);
};

/**
 * The call with which a source reads its cluster: the builder's own, unless the options name another one. Each use has a connection of its
 * own, since a keychain is never closed.
 */
export async function withCluster<Result>(
  { kubeconfig, context }: ClusterAccessOptions,
  call: KeychainCall,
  use: (call: KeychainCall) => Promise<Result>,
  connect: ConnectCluster = connectLazily,
): Promise<Result> {
  if (kubeconfig === undefined && context === undefined) return use(call);
  const { signal, warn } = call;
  const cluster = await connect({ kubeconfig, context }, { signal });
  try {
    // A helper of the builder's pod knows nothing of another cluster.
    return await use({ signal, ...(warn === undefined ? {} : { warn }), ...readersOf(cluster, signal) });
  } finally {
    await cluster.close();
  }
}

function readersOf(
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
      return {
        namespace,
        name,
        imagePullSecrets: (account.imagePullSecrets ?? []).flatMap((secret) => secret.name ?? []),
      };
    },
  };
}
