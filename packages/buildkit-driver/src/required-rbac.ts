import { BuilderError } from "@slipway/core";
import type { AccessRule, Cluster } from "@slipway/cluster";

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

/**
 * Checks {@link requiredRbac} before anything is made, so that a missing rule does not leave half a builder behind.
 *
 * @throws BuilderError FORBIDDEN for the first rule that is missing, with all of them in its message
 */
export async function checkAccess(
  cluster: Cluster,
  namespace: string,
  call: { readonly signal: AbortSignal },
): Promise<void> {
  const missing = await cluster.canI(
    requiredRbac.map((rule) => ({ ...rule, namespace })),
    call,
  );
  const [first] = missing;
  if (first === undefined) return;
  const rules = missing.map(({ verb, resource }) => `${verb} ${resource}`).join(", ");
  throw new BuilderError({
    code: "FORBIDDEN",
    message: `The builder in namespace ${namespace} needs permissions that ${cluster.user ?? "this user"} lacks: ${rules}. Grant them with a Role; \`requiredRbac\` of slipway/buildkit has its rules.`,
    details: { verb: first.verb, resource: first.resource, namespace },
  });
}
