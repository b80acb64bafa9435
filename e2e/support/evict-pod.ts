import type { TestNamespace } from "./test-namespace.ts";

/** Evicts a pod as whoever drains its node does. */
export async function evictPod({ cluster, name: namespace }: TestNamespace, name: string): Promise<void> {
  await cluster.request({
    method: "POST",
    path: `/api/v1/namespaces/${namespace}/pods/${name}/eviction`,
    body: { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace } },
    action: { verb: "create", resource: "pods/eviction", namespace, name },
  });
}
