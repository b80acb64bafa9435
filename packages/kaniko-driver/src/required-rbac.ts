import { requireAccess, type AccessRule, type Cluster } from "@slipway/cluster";

/** What the driver does in the namespace of its builds. */
export const requiredRbac: readonly AccessRule[] = [
  { verb: "create", apiGroup: "batch", resource: "jobs" },
  { verb: "list", apiGroup: "batch", resource: "jobs" },
  { verb: "delete", apiGroup: "batch", resource: "jobs" },
  { verb: "create", resource: "secrets" },
  { verb: "delete", resource: "secrets" },
  { verb: "get", resource: "pods" },
  { verb: "list", resource: "pods" },
  { verb: "watch", resource: "pods" },
  { verb: "delete", resource: "pods" },
  { verb: "get", resource: "pods/log" },
  { verb: "list", resource: "events" },
  // A WebSocket begins as a GET; newer API servers also ask for the verb of the older protocol.
  { verb: "get", resource: "pods/attach" },
  { verb: "create", resource: "pods/attach" },
  { verb: "get", resource: "pods/exec" },
  { verb: "create", resource: "pods/exec" },
];

/** What it does beyond {@link requiredRbac} for contexts in a workspace. */
export const workspaceRbac: readonly AccessRule[] = [
  { verb: "get", apiGroup: "batch", resource: "jobs" },
  { verb: "watch", apiGroup: "batch", resource: "jobs" },
  { verb: "create", resource: "persistentvolumeclaims" },
];

/** The Pod Security level that the namespace must allow: kaniko is root in its container, with some of the default capabilities and no privileges. */
export const podSecurityLevel = "baseline";

/** Checks the rules before anything is made. @throws BuilderError FORBIDDEN */
export async function checkAccess(
  cluster: Cluster,
  withWorkspace: boolean,
  call: { readonly signal: AbortSignal },
): Promise<void> {
  const { namespace } = cluster;
  const need = `Builds in namespace ${namespace} need`;
  const rules = withWorkspace ? [...requiredRbac, ...workspaceRbac] : requiredRbac;
  await requireAccess(cluster, rules, { namespace, need, entryPoint: "slipway/kaniko" }, call);
}
