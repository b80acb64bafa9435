/** How the API server names a kind in paths. */
export interface ApiResource {
  readonly plural: string;
  readonly namespaced: boolean;
}

const namespaced = (plural: string): ApiResource => ({ plural, namespaced: true });
const clusterScoped = (plural: string): ApiResource => ({ plural, namespaced: false });

/** The kinds that need no discovery request. */
export const knownResources: Readonly<Record<string, ApiResource>> = {
  "v1/ConfigMap": namespaced("configmaps"),
  "v1/Event": namespaced("events"),
  "v1/LimitRange": namespaced("limitranges"),
  "v1/Namespace": clusterScoped("namespaces"),
  "v1/Node": clusterScoped("nodes"),
  "v1/PersistentVolume": clusterScoped("persistentvolumes"),
  "v1/PersistentVolumeClaim": namespaced("persistentvolumeclaims"),
  "v1/Pod": namespaced("pods"),
  "v1/ResourceQuota": namespaced("resourcequotas"),
  "v1/Secret": namespaced("secrets"),
  "v1/Service": namespaced("services"),
  "v1/ServiceAccount": namespaced("serviceaccounts"),
  "apps/v1/DaemonSet": namespaced("daemonsets"),
  "apps/v1/Deployment": namespaced("deployments"),
  "apps/v1/ReplicaSet": namespaced("replicasets"),
  "apps/v1/StatefulSet": namespaced("statefulsets"),
  "authentication.k8s.io/v1/SelfSubjectReview": clusterScoped("selfsubjectreviews"),
  "authorization.k8s.io/v1/SelfSubjectAccessReview": clusterScoped("selfsubjectaccessreviews"),
  "batch/v1/CronJob": namespaced("cronjobs"),
  "batch/v1/Job": namespaced("jobs"),
  "coordination.k8s.io/v1/Lease": namespaced("leases"),
  "discovery.k8s.io/v1/EndpointSlice": namespaced("endpointslices"),
  "networking.k8s.io/v1/NetworkPolicy": namespaced("networkpolicies"),
  "policy/v1/PodDisruptionBudget": namespaced("poddisruptionbudgets"),
  "rbac.authorization.k8s.io/v1/ClusterRole": clusterScoped("clusterroles"),
  "rbac.authorization.k8s.io/v1/ClusterRoleBinding": clusterScoped("clusterrolebindings"),
  "rbac.authorization.k8s.io/v1/Role": namespaced("roles"),
  "rbac.authorization.k8s.io/v1/RoleBinding": namespaced("rolebindings"),
  "storage.k8s.io/v1/StorageClass": clusterScoped("storageclasses"),
};

/** The path of a group and version: `/api/v1`, `/apis/apps/v1`. */
export function groupVersionPath(apiVersion: string): string {
  return apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** What a path leads to. */
export interface ApiPathParts {
  readonly apiVersion: string;
  readonly plural: string;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

/** The path of an object, or of a collection if there is no name. */
export function apiPath({ apiVersion, plural, namespace, name, subresource }: ApiPathParts): string {
  const parts = [groupVersionPath(apiVersion)];
  if (namespace !== undefined) parts.push("namespaces", encodeURIComponent(namespace));
  parts.push(plural);
  if (name !== undefined) parts.push(encodeURIComponent(name));
  if (subresource !== undefined) parts.push(subresource);
  return parts.join("/");
}

/** Query parameters; a list repeats its key, absent values are left out. */
export type ApiQuery = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** `path?query`, with the values escaped. */
export function withQuery(path: string, query: ApiQuery): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined) continue;
    if (typeof value === "object") for (const item of value) parameters.append(key, item);
    else parameters.append(key, String(value));
  }
  const text = parameters.toString();
  return text === "" ? path : `${path}?${text}`;
}
