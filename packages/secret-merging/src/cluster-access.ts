import type { Cluster, ClusterOptions } from "@slipway/cluster";
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
    const { keychainReaders } = await import("@slipway/cluster");
    // A helper of the builder's pod knows nothing of another cluster.
    return await use({ signal, ...(warn === undefined ? {} : { warn }), ...keychainReaders(cluster, signal) });
  } finally {
    await cluster.close();
  }
}
