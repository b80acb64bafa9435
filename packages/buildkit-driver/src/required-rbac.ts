import { requireAccess, type AccessRule, type Cluster } from "@slipway/cluster";

/** What the driver does in the builder's namespace. `bootstrap` and the first build need all of it. */
export const requiredRbac: readonly AccessRule[] = [
  { verb: "get", apiGroup: "apps", resource: "deployments" },
  { verb: "create", apiGroup: "apps", resource: "deployments" },
  { verb: "patch", apiGroup: "apps", resource: "deployments" },
  { verb: "delete", apiGroup: "apps", resource: "deployments" },
  { verb: "get", resource: "pods" },
  { verb: "list", resource: "pods" },
  { verb: "watch", resource: "pods" },
  { verb: "list", resource: "events" },
  // A WebSocket begins as a GET; newer API servers also ask for the verb of the older protocol.
  { verb: "get", resource: "pods/exec" },
  { verb: "create", resource: "pods/exec" },
];

/** The Pod Security level that the namespace must allow: rootful pods are privileged, rootless ones need unconfined seccomp. */
export const podSecurityLevel = "privileged";

/** Checks {@link requiredRbac} before anything is made. @throws BuilderError FORBIDDEN */
export async function checkAccess(
  cluster: Cluster,
  namespace: string,
  call: { readonly signal: AbortSignal },
): Promise<void> {
  const need = `The builder in namespace ${namespace} needs`;
  await requireAccess(cluster, requiredRbac, { namespace, need, entryPoint: "slipway/buildkit" }, call);
}
