import { BuilderError } from "@slipway/core";

import { sendForJson } from "./api-client.ts";
import type { ApiConnection, ApiRequest, ClusterCall } from "./api-client.ts";
import { apiPath, groupVersionPath, knownResources } from "./api-resource.ts";
import type { ApiQuery, ApiResource } from "./api-resource.ts";
import { apiStatusOf } from "./api-status.ts";
import type { KubernetesObject, ObjectReference, ResourceReference } from "./kubernetes-object.ts";

/** Narrows a list or a watch. */
export interface ListOptions extends ClusterCall {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Of all namespaces; it needs a ClusterRole. @defaultValue false */
  readonly allNamespaces?: boolean | undefined;
}

/** Objects as they were at one moment. */
export interface ListResult<Item extends KubernetesObject> {
  readonly items: Item[];
  /** From which a watch goes on without a gap. */
  readonly resourceVersion: string;
}

/** How server-side apply treats what others have set. */
export interface ApplyOptions extends ClusterCall {
  /** @defaultValue `slipway` */
  readonly fieldManager?: string | undefined;
  /** Takes fields over from other managers instead of failing. @defaultValue true */
  readonly force?: boolean | undefined;
}

export interface PatchOptions extends ClusterCall {
  /** @defaultValue `merge` */
  readonly type?: "merge" | "strategic-merge" | "json";
}

export interface DeleteOptions extends ClusterCall {
  /** @defaultValue `Background` */
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan" | undefined;
  readonly gracePeriodSeconds?: number | undefined;
  /** Deletes only the object that was meant, not one of the same name that took its place. */
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined;
}

/** Reads and writes objects. */
export interface ResourceClient {
  /** `undefined` if there is none. */
  get<T extends KubernetesObject>(reference: ObjectReference, call?: ClusterCall): Promise<T | undefined>;
  /** All objects of a kind in a namespace that match. */
  list<T extends KubernetesObject>(resource: ResourceReference, options?: ListOptions): Promise<ListResult<T>>;
  /** @throws BuilderError; `apiStatusOf(error)?.reason` is `AlreadyExists` if the name is taken */
  create<T extends KubernetesObject>(object: T, call?: ClusterCall): Promise<T>;
  /** Server-side apply: creates the object, or makes the fields given be as given. */
  apply<T extends KubernetesObject>(object: T, options?: ApplyOptions): Promise<T>;
  /** With a `resourceVersion`, fails if somebody was faster (`apiStatusOf(error)?.reason` is `Conflict`). */
  replace<T extends KubernetesObject>(object: T, call?: ClusterCall & { readonly subresource?: string }): Promise<T>;
  /** Changes one object; a merge patch unless the options say otherwise. */
  patch<T extends KubernetesObject>(reference: ObjectReference, patch: unknown, options?: PatchOptions): Promise<T>;
  /** That there is none, or not the one of `preconditions`, is fine. */
  delete(reference: ObjectReference, options?: DeleteOptions): Promise<void>;
  /** Any request, such as to a subresource; the body of the answer. */
  request<T>(request: ApiRequest, call?: ClusterCall): Promise<T>;
  /** How the API server names a kind; asks it about kinds that are not built in. */
  resource(reference: ResourceReference, call?: ClusterCall): Promise<ApiResource>;
}

const pageSize = 500;
const patchTypes = {
  merge: "application/merge-patch+json",
  "strategic-merge": "application/strategic-merge-patch+json",
  json: "application/json-patch+json",
} as const;

interface ListPage<Item> {
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items: readonly Item[] | null;
}

interface ResourceList {
  readonly resources: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

function referenceTo(object: KubernetesObject): ResourceReference & { name?: string } {
  const { apiVersion, kind, metadata } = object;
  if (apiVersion === undefined || kind === undefined) {
    const message = "An object needs apiVersion and kind.";
    throw new BuilderError({ code: "INVALID_OPTIONS", message, details: { issues: [{ path: "kind", message }] } });
  }
  return {
    apiVersion,
    kind,
    namespace: metadata?.namespace,
    ...(metadata?.name === undefined ? {} : { name: metadata.name }),
  };
}

/**
 * Makes the part of a cluster connection that reads and writes objects.
 *
 * @param defaultNamespace - for references without one
 */
export function createResourceClient(connection: ApiConnection, defaultNamespace: string): ResourceClient {
  const discovered = new Map<string, ApiResource>();

  const discover = async ({ apiVersion, kind }: ResourceReference, call: ClusterCall): Promise<ApiResource> => {
    const path = groupVersionPath(apiVersion);
    const action = { verb: "get", resource: `the kinds of ${apiVersion}` };
    const list = (await sendForJson(connection, { method: "GET", path, action }, call)) as ResourceList;
    const found = list.resources.find((candidate) => candidate.kind === kind && !candidate.name.includes("/"));
    if (found) return { plural: found.name, namespaced: found.namespaced };
    const message = `${connection.server} knows no kind ${kind} in ${apiVersion}. Install what defines it.`;
    throw new BuilderError({ code: "INVALID_OPTIONS", message, details: { issues: [{ path: "kind", message }] } });
  };
  const resource = async (reference: ResourceReference, call: ClusterCall = {}): Promise<ApiResource> => {
    const key = `${reference.apiVersion}/${reference.kind}`;
    const known = knownResources[key] ?? discovered.get(key) ?? (await discover(reference, call));
    discovered.set(key, known);
    return known;
  };
  const perform = async <T>(
    verb: string,
    method: ApiRequest["method"],
    reference: ResourceReference & { readonly name?: string; readonly subresource?: string | undefined },
    call: ClusterCall & { readonly allNamespaces?: boolean | undefined },
    rest: { readonly query?: ApiQuery; readonly body?: unknown; readonly contentType?: string } = {},
  ): Promise<T> => {
    const { plural, namespaced } = await resource(reference, call);
    const namespace = namespaced && !call.allNamespaces ? (reference.namespace ?? defaultNamespace) : undefined;
    const { apiVersion, name, subresource } = reference;
    // A POST goes to the collection.
    const path = apiPath({ apiVersion, plural, namespace, name: method === "POST" ? undefined : name, subresource });
    const action = { verb, resource: subresource === undefined ? plural : `${plural}/${subresource}`, namespace, name };
    return (await sendForJson(connection, { method, path, action, ...rest }, call)) as T;
  };

  return {
    resource,
    request: async <T>(request: ApiRequest, call: ClusterCall = {}) =>
      (await sendForJson(connection, request, call)) as T,
    get: async <T extends KubernetesObject>(reference: ObjectReference, call: ClusterCall = {}) => {
      try {
        return await perform<T>("get", "GET", reference, call);
      } catch (error) {
        if (apiStatusOf(error)?.code === 404) return undefined;
        throw error;
      }
    },
    list: async <T extends KubernetesObject>(
      reference: ResourceReference,
      options: ListOptions = {},
    ): Promise<ListResult<T>> => {
      const items: T[] = [];
      const { labelSelector, fieldSelector } = options;
      let page: ListPage<T> | undefined;
      do {
        const query: ApiQuery = { labelSelector, fieldSelector, limit: pageSize, continue: page?.metadata.continue };
        page = await perform<ListPage<T>>("list", "GET", reference, options, { query });
        // The items of a list do not say what they are.
        for (const item of page.items ?? [])
          items.push({ apiVersion: reference.apiVersion, kind: reference.kind, ...item });
      } while (page.metadata.continue);
      return { items, resourceVersion: page.metadata.resourceVersion ?? "" };
    },
    create: (object, call = {}) => perform("create", "POST", referenceTo(object), call, { body: object }),
    apply: (object, options = {}) =>
      perform("patch", "PATCH", referenceTo(object), options, {
        body: object,
        contentType: "application/apply-patch+yaml",
        query: { fieldManager: options.fieldManager ?? "slipway", force: options.force ?? true },
      }),
    replace: (object, call = {}) =>
      perform("update", "PUT", { ...referenceTo(object), subresource: call.subresource }, call, { body: object }),
    patch: (reference, patch, options = {}) =>
      perform("patch", "PATCH", reference, options, { body: patch, contentType: patchTypes[options.type ?? "merge"] }),
    delete: async (reference, options = {}) => {
      const { propagationPolicy = "Background", gracePeriodSeconds, preconditions } = options;
      const body = { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy, gracePeriodSeconds, preconditions };
      try {
        await perform("delete", "DELETE", reference, options, { body });
      } catch (error) {
        const code = apiStatusOf(error)?.code;
        if (code === 404 || (code === 409 && preconditions)) return;
        throw error;
      }
    },
  };
}
