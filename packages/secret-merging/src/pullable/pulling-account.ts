import type { Cluster, ServiceAccount } from "@slipway/cluster";
import { BuilderError, invalidOptions } from "@slipway/core";
import type { KeychainCall } from "@slipway/core";

import { updateReferences } from "./account-references.ts";
import type { ReferenceChange } from "./account-references.ts";

/** The ServiceAccount that pods run under. */
export interface Account {
  readonly namespace: string;
  readonly name: string;
  /** How long it may take to appear, in milliseconds. */
  readonly timeoutMs: number;
}

type AccountCluster = Pick<Cluster, "get" | "patch" | "waitFor" | "server">;

const attempts = 5;

/** Changes what the account pulls with. The list is one value to Kubernetes, so it is written on condition that nobody has changed the account meanwhile. */
export async function updateAccount(
  cluster: AccountCluster,
  account: Account,
  change: ReferenceChange,
  { signal }: KeychainCall,
): Promise<void> {
  const { apiStatusOf } = await import("@slipway/cluster");
  const reference = { apiVersion: "v1", kind: "ServiceAccount", namespace: account.namespace, name: account.name };
  for (let attempt = 1; ; attempt += 1) {
    const { metadata, imagePullSecrets = [] } = await readAccount(cluster, account, signal);
    const names = updateReferences(
      imagePullSecrets.flatMap(({ name }) => name ?? []),
      change,
    );
    if (names === undefined) return;
    const resourceVersion = metadata?.resourceVersion;
    const patch = { metadata: { resourceVersion }, imagePullSecrets: names.map((name) => ({ name })) };
    try {
      await cluster.patch<ServiceAccount>(reference, patch, { signal });
      return;
    } catch (error) {
      if (attempt === attempts || apiStatusOf(error)?.reason !== "Conflict") throw error;
    }
  }
}

/** The account, once it is there. @throws `INVALID_OPTIONS` if it does not appear, `NAMESPACE_NOT_FOUND` */
export async function readAccount(
  cluster: AccountCluster,
  { namespace, name, timeoutMs }: Account,
  signal: AbortSignal,
): Promise<ServiceAccount> {
  const resource = { apiVersion: "v1", kind: "ServiceAccount", namespace };
  const present = await cluster.get<ServiceAccount>({ ...resource, name }, { signal });
  if (present !== undefined) return present;
  await requireNamespace(cluster, namespace, signal);
  try {
    const fieldSelector = `metadata.name=${name}`;
    return await cluster.waitFor<ServiceAccount, ServiceAccount>(resource, {
      ...{ fieldSelector, timeoutMs, signal },
      until: ([account]) => account,
    });
  } catch (error) {
    if (!BuilderError.isInstance(error) || error.code !== "TIMEOUT" || signal.aborted) throw error;
    const message = `ServiceAccount ${namespace}/${name} does not exist in ${cluster.server}. Create it, or name another one`;
    throw invalidOptions("ensurePullable", [{ path: "serviceAccount", message }]);
  }
}

/** In a namespace that is not there nothing appears; who may not know goes on to wait. @throws `NAMESPACE_NOT_FOUND` */
async function requireNamespace(cluster: AccountCluster, namespace: string, signal: AbortSignal): Promise<void> {
  try {
    if ((await cluster.get({ apiVersion: "v1", kind: "Namespace", name: namespace }, { signal })) !== undefined) return;
  } catch (error) {
    if (BuilderError.isInstance(error) && error.code === "FORBIDDEN") return;
    throw error;
  }
  const { namespaceNotFound } = await import("@slipway/cluster");
  throw namespaceNotFound(namespace, cluster.server);
}
