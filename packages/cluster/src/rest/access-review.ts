import type { ClusterCall } from "./api-client.ts";
import { knownResources } from "./api-resource.ts";
import type { ResourceClient } from "./resource-client.ts";

/** One permission, as a line of a Role. */
export interface AccessRule {
  readonly verb: string;
  /** Plural, with the subresource: `pods/exec`. */
  readonly resource: string;
  /** @defaultValue the core group */
  readonly apiGroup?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

interface AccessReview {
  readonly apiVersion: string;
  readonly kind: string;
  readonly status?: { readonly allowed: boolean };
}

/**
 * Asks the API server which of `rules` the user lacks, all at once.
 *
 * @returns those that are not allowed, in the order given
 */
export async function forbiddenRules(
  client: ResourceClient,
  defaultNamespace: string,
  rules: readonly AccessRule[],
  call: ClusterCall,
): Promise<readonly AccessRule[]> {
  const clusterScoped = new Set(
    Object.values(knownResources).flatMap(({ plural, namespaced }) => (namespaced ? [] : [plural])),
  );
  const review = async (rule: AccessRule): Promise<boolean> => {
    const [resource, subresource] = rule.resource.split("/");
    const { verb, apiGroup: group, name } = rule;
    const namespace = clusterScoped.has(resource ?? "") ? undefined : (rule.namespace ?? defaultNamespace);
    const resourceAttributes = { verb, group, resource, subresource, name, namespace };
    const body = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes },
    };
    const answer = await client.create<AccessReview>(body, call);
    return answer.status?.allowed === true;
  };
  const allowed = await Promise.all(rules.map(review));
  return rules.filter((_, index) => !allowed[index]);
}
