import type {
  CoreV1Event,
  V1ConfigMap,
  V1Deployment,
  V1Job,
  V1Lease,
  V1Namespace,
  V1Node,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodSpec,
  V1PodTemplateSpec,
  V1Role,
  V1RoleBinding,
  V1Secret,
  V1Service,
  V1ServiceAccount,
  V1StatefulSet,
} from "@kubernetes/client-node";

/** A type of client-node as it is on the wire: timestamps are RFC 3339 text, not `Date`. */
export type Serialized<Value> = Value extends Date
  ? string
  : Value extends readonly (infer Item)[]
    ? Serialized<Item>[]
    : Value extends object
      ? { [Key in keyof Value]: Serialized<Value[Key]> }
      : Value;

/** A ConfigMap as the API server sends it (client-node's `V1ConfigMap`). */
export type ConfigMap = Serialized<V1ConfigMap>;
/** A Deployment as the API server sends it (client-node's `V1Deployment`). */
export type Deployment = Serialized<V1Deployment>;
/** A Job as the API server sends it (client-node's `V1Job`). */
export type Job = Serialized<V1Job>;
/** An Event as the API server sends it (client-node's `CoreV1Event`). */
export type KubernetesEvent = Serialized<CoreV1Event>;
/** A Lease as the API server sends it (client-node's `V1Lease`). */
export type Lease = Serialized<V1Lease>;
/** A Namespace as the API server sends it (client-node's `V1Namespace`). */
export type Namespace = Serialized<V1Namespace>;
/** A Node as the API server sends it (client-node's `V1Node`). */
export type Node = Serialized<V1Node>;
/** A PersistentVolumeClaim as the API server sends it (client-node's `V1PersistentVolumeClaim`). */
export type PersistentVolumeClaim = Serialized<V1PersistentVolumeClaim>;
/** A Pod as the API server sends it (client-node's `V1Pod`). */
export type Pod = Serialized<V1Pod>;
/** A PodSpec as the API server sends it (client-node's `V1PodSpec`). */
export type PodSpec = Serialized<V1PodSpec>;
/** A PodTemplateSpec as the API server sends it (client-node's `V1PodTemplateSpec`). */
export type PodTemplateSpec = Serialized<V1PodTemplateSpec>;
/** A Role as the API server sends it (client-node's `V1Role`). */
export type Role = Serialized<V1Role>;
/** A RoleBinding as the API server sends it (client-node's `V1RoleBinding`). */
export type RoleBinding = Serialized<V1RoleBinding>;
/** A Secret as the API server sends it (client-node's `V1Secret`). */
export type Secret = Serialized<V1Secret>;
/** A Service as the API server sends it (client-node's `V1Service`). */
export type Service = Serialized<V1Service>;
/** A ServiceAccount as the API server sends it (client-node's `V1ServiceAccount`). */
export type ServiceAccount = Serialized<V1ServiceAccount>;
/** A StatefulSet as the API server sends it (client-node's `V1StatefulSet`). */
export type StatefulSet = Serialized<V1StatefulSet>;

/** What every object in Kubernetes has. */
export interface KubernetesObject {
  apiVersion?: string;
  kind?: string;
  metadata?: {
    name?: string;
    generateName?: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
}

/** A kind of object, such as `{ apiVersion: "apps/v1", kind: "Deployment" }`. */
export interface ResourceReference {
  readonly apiVersion: string;
  readonly kind: string;
  /** @defaultValue the namespace of the cluster connection */
  readonly namespace?: string | undefined;
}

/** One object. */
export interface ObjectReference extends ResourceReference {
  readonly name: string;
  /** Such as `status` or `scale`. */
  readonly subresource?: string | undefined;
}
