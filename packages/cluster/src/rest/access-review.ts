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

/** Permissions as the `rules` of a Role have them: each verb on each resource. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  /** @defaultValue all objects */
  readonly resourceNames?: readonly string[] | undefined;
  readonly namespace?: string | undefined;
}

/** The permissions of rules one by one. */
export function accessRules(rules: readonly (AccessRule | PolicyRule)[]): readonly AccessRule[] {
  return rules.flatMap((rule) => ("verbs" in rule ? rulesOf(rule) : [rule]));
}

function rulesOf({ apiGroups, resources, verbs, resourceNames = [], namespace }: PolicyRule): AccessRule[] {
  const names = resourceNames.length === 0 ? [{}] : resourceNames.map((name) => ({ name }));
  const where = namespace === undefined ? {} : { namespace };
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      verbs.flatMap((verb) =>
        names.map((name) => ({ verb, resource, ...(group === "" ? {} : { apiGroup: group }), ...name, ...where })),
      ),
    ),
  );
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
