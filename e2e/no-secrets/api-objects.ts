import type { Cluster } from "@slipway/cluster";

/** An object of the API server as JSON. */
export interface ApiObject {
  /** `<resource> <namespace>/<name>` */
  readonly place: string;
  readonly text: string;
}

interface ResourceList {
  readonly resources: readonly { readonly name: string; readonly verbs: readonly string[] }[];
}

interface GroupList {
  readonly groups: readonly { readonly preferredVersion: { readonly groupVersion: string } }[];
}

interface ObjectList {
  readonly items: readonly { readonly metadata: { readonly name: string; readonly namespace?: string } }[] | null;
}

/** All objects of all kinds that can be listed, in all namespaces. */
export async function listApiObjects(cluster: Cluster): Promise<readonly ApiObject[]> {
  const read = <Answer>(path: string): Promise<Answer> =>
    cluster.request<Answer>({ method: "GET", path, action: { verb: "list", resource: path } });
  const { groups } = await read<GroupList>("/apis");
  const roots = ["/api/v1", ...groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`)];
  const objects: ApiObject[] = [];
  for (const root of roots) {
    const { resources } = await read<ResourceList>(root);
    for (const { name: resource, verbs } of resources) {
      if (!verbs.includes("list")) continue;
      const { items } = await read<ObjectList>(`${root}/${resource}`);
      for (const item of items ?? []) {
        const { namespace = "", name } = item.metadata;
        objects.push({ place: `${resource} ${namespace}/${name}`, text: JSON.stringify(item) });
      }
    }
  }
  return objects;
}
