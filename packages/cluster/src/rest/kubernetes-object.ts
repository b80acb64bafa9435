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

export type ConfigMap = Serialized<V1ConfigMap>;
export type Deployment = Serialized<V1Deployment>;
export type Job = Serialized<V1Job>;
export type KubernetesEvent = Serialized<CoreV1Event>;
export type Lease = Serialized<V1Lease>;
export type Namespace = Serialized<V1Namespace>;
export type Node = Serialized<V1Node>;
export type PersistentVolumeClaim = Serialized<V1PersistentVolumeClaim>;
export type Pod = Serialized<V1Pod>;
export type PodSpec = Serialized<V1PodSpec>;
export type PodTemplateSpec = Serialized<V1PodTemplateSpec>;
export type Role = Serialized<V1Role>;
export type RoleBinding = Serialized<V1RoleBinding>;
export type Secret = Serialized<V1Secret>;
export type Service = Serialized<V1Service>;
export type ServiceAccount = Serialized<V1ServiceAccount>;
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
