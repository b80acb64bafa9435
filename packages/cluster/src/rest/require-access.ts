import { BuilderError } from "@slipway/core";

import type { Cluster } from "../cluster.ts";
import type { AccessRule } from "./access-review.ts";
import type { ClusterCall } from "./api-client.ts";

/** Who needs permissions, for the error. */
export interface RequiredAccess {
  readonly namespace: string;
  /** `The builder in namespace builds needs` */
  readonly need: string;
  /** Where the rules can be looked up: `slipway/buildkit`. */
  readonly entryPoint: string;
}

/**
 * Checks permissions before anything is made, so that a missing one does not leave half of it behind.
 *
 * @throws BuilderError FORBIDDEN for the first rule that is missing, with all of them in its message
 */
export async function requireAccess(
  cluster: Pick<Cluster, "canI" | "user">,
  rules: readonly AccessRule[],
  { namespace, need, entryPoint }: RequiredAccess,
  call: ClusterCall,
): Promise<void> {
  const missing = await cluster.canI(
    rules.map((rule) => ({ ...rule, namespace })),
    call,
  );
  const [first] = missing;
  if (first === undefined) return;
  const lacking = missing.map(({ verb, resource }) => `${verb} ${resource}`).join(", ");
  throw new BuilderError({
    code: "FORBIDDEN",
    message: `${need} permissions that ${cluster.user ?? "this user"} lacks: ${lacking}. Grant them with a Role; \`requiredRbac\` of ${entryPoint} has its rules.`,
    details: { verb: first.verb, resource: first.resource, namespace },
  });
}
