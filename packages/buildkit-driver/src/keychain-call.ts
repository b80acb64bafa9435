import { keychainCall as clusterKeychainCall, type Cluster } from "@slipway/cluster";
import type { DriverCall, KeychainCall } from "@slipway/core";

import { runCredentialHelper } from "./run-credential-helper.ts";

/** The cluster of a builder, whose pods are in its namespace. */
type BuilderCluster = Pick<Cluster, "server" | "namespace" | "get" | "exec">;

type Call = Pick<DriverCall, "signal" | "emit">;

/** What a keychain may do where the builder lives, with the credential helpers of its pod. */
export function keychainCall(cluster: BuilderCluster, pod: string, call: Call): KeychainCall {
  return callWithHelpers(cluster, { site: pod, findPod: () => pod }, call);
}

/**
 * Does something with what a keychain may do for a builder that may not run: a pod is found, and made ready, when the first helper has to be run.
 *
 * @throws why there is no pod, if one was wanted
 */
export async function withSleepingBuilder<Result>(
  cluster: BuilderCluster,
  builder: { readonly name: string; readonly findPod: () => Promise<string> },
  call: Call,
  work: (keys: KeychainCall) => Promise<Result>,
): Promise<Result> {
  let pod: Promise<string> | undefined;
  const failures: unknown[] = [];
  const findPod = async (): Promise<string> => {
    try {
      return await (pod ??= builder.findPod());
    } catch (cause) {
      failures.push(cause);
      // Keychains pass over a helper whose options are wrong, and would seem to have nothing: this they let through.
      throw new Error("there is no pod to run a credential helper in", { cause });
    }
  };
  const keys = callWithHelpers(cluster, { site: `${builder.name} (builder)`, findPod }, call);
  const result = await work(keys).catch((error: unknown) => {
    throw failures[0] ?? error;
  });
  if (failures.length > 0) throw failures[0];
  return result;
}

interface Helpers {
  /** Where in the namespace they run. */
  readonly site: string;
  readonly findPod: () => string | Promise<string>;
}

function callWithHelpers(cluster: BuilderCluster, { site, findPod }: Helpers, call: Call): KeychainCall {
  const { server, namespace } = cluster;
  const { signal } = call;
  return {
    ...clusterKeychainCall(cluster, call),
    helperSite: `${server} ${namespace}/${site}`,
    runCredentialHelper: async (helper, serverUrl) =>
      runCredentialHelper(cluster, { namespace, name: await findPod() }, { helper, serverUrl, signal }),
  };
}
