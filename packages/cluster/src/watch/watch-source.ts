import { send } from "../rest/api-client.ts";
import type { ApiConnection } from "../rest/api-client.ts";
import { apiPath } from "../rest/api-resource.ts";
import type { KubernetesObject, ResourceReference } from "../rest/kubernetes-object.ts";
import type { ResourceClient } from "../rest/resource-client.ts";
import type { WatchSource } from "./watch.ts";

const headTimeoutMs = 30_000;

/** The requests of a watch of `resource`. */
export function createWatchSource<T extends KubernetesObject>(
  connection: ApiConnection,
  client: ResourceClient,
  resource: ResourceReference,
  defaultNamespace: string,
): WatchSource<T> {
  return {
    server: connection.server,
    dropIdle: () => connection.pool.dropIdle(),
    list: (options) => client.list<T>(resource, options),
    open: async (query, { labelSelector, fieldSelector, allNamespaces, signal }) => {
      const { plural, namespaced } = await client.resource(resource, { signal });
      const namespace = namespaced && !allNamespaces ? (resource.namespace ?? defaultNamespace) : undefined;
      const request = {
        method: "GET" as const,
        path: apiPath({ apiVersion: resource.apiVersion, plural, namespace }),
        query: { ...query, labelSelector, fieldSelector },
        action: { verb: "watch", resource: plural, namespace },
      };
      return send(connection, request, { signal }, { headMs: headTimeoutMs });
    },
  };
}
