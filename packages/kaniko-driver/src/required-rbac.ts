import type { AccessRule, Cluster } from "@slipway/cluster";
import { BuilderError } from "@slipway/core";

/** What the driver does in the namespace of its builds. */
export const requiredRbac: readonly AccessRule[] = [
  { verb: "create", apiGroup: "batch", resource: "jobs" },
  { verb: "patch", apiGroup: "batch", resource: "jobs" },
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

/** The Pod Security level that the namespace must allow: kaniko is root in its container, with some of the default capabilities and no privileges. */
export const podSecurityLevel = "baseline";

/**
 * Checks {@link requiredRbac} before anything is made.
 *
 * @throws BuilderError FORBIDDEN for the first rule that is missing, with all of them in its message
 */
export async function checkAccess(cluster: Cluster, call: { readonly signal: AbortSignal }): Promise<void> {
  const { namespace } = cluster;
  const missing = await cluster.canI(
    requiredRbac.map((rule) => ({ ...rule, namespace })),
    call,
  );
  const [first] = missing;
  if (first === undefined) return;
  const rules = missing.map(({ verb, resource }) => `${verb} ${resource}`).join(", ");
  throw new BuilderError({
    code: "FORBIDDEN",
    message: `Builds in namespace ${namespace} need permissions that ${cluster.user ?? "this user"} lacks: ${rules}. Grant them with a Role; \`requiredRbac\` of slipway/kaniko has its rules.`,
    details: { verb: first.verb, resource: first.resource, namespace },
  });
}
