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

/** A ConfigMap. */
export type ConfigMap = Serialized<V1ConfigMap>;
/** A Deployment. */
export type Deployment = Serialized<V1Deployment>;
/** A Job. */
export type Job = Serialized<V1Job>;
/** An Event. */
export type KubernetesEvent = Serialized<CoreV1Event>;
/** A Lease. */
export type Lease = Serialized<V1Lease>;
/** A Namespace. */
export type Namespace = Serialized<V1Namespace>;
/** A Node. */
export type Node = Serialized<V1Node>;
/** A PersistentVolumeClaim. */
export type PersistentVolumeClaim = Serialized<V1PersistentVolumeClaim>;
/** A Pod. */
export type Pod = Serialized<V1Pod>;
/** A pod's `spec`. */
export type PodSpec = Serialized<V1PodSpec>;
/** A pod template. */
export type PodTemplateSpec = Serialized<V1PodTemplateSpec>;
/** A Role. */
export type Role = Serialized<V1Role>;
/** A RoleBinding. */
export type RoleBinding = Serialized<V1RoleBinding>;
/** A Secret, with its values in base64. */
export type Secret = Serialized<V1Secret>;
/** A Service. */
export type Service = Serialized<V1Service>;
/** A ServiceAccount. */
export type ServiceAccount = Serialized<V1ServiceAccount>;
/** A StatefulSet. */
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
