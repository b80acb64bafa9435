import type { AccessRule } from "@slipway/cluster";

import { readClusterAccess, writeKubeconfig, type KubeconfigFile } from "../support/kubeconfig-file.ts";
import type { TestNamespace } from "../support/test-namespace.ts";

/** Makes a user who may do in the test's namespace what `rules` say and nothing else, and a kubeconfig that logs in as that user. */
export async function createLimitedUser(
  { cluster, name: namespace, testCluster }: TestNamespace,
  name: string,
  rules: readonly AccessRule[],
): Promise<KubeconfigFile> {
  const metadata = { name, namespace };
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name };
  await Promise.all([
    cluster.create({ apiVersion: "v1", kind: "ServiceAccount", metadata }),
    cluster.create({ apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata, rules: rules.map(roleRule) }),
    cluster.create({
      ...{ apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", metadata, roleRef },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    }),
  ]);
  const { status } = await cluster.request<{ status: { token: string } }>({
    method: "POST",
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 600 } },
    action: { verb: "create", resource: "serviceaccounts/token", namespace, name },
  });
  return writeKubeconfig(await readClusterAccess(testCluster), { user: { token: status.token } });
}

function roleRule({ verb, apiGroup = "", resource }: AccessRule): object {
  return { apiGroups: [apiGroup], resources: [resource], verbs: [verb] };
}
