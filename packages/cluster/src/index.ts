/**
 * Kubernetes access: REST, apply, streams, logs, watch and pod diagnosis.
 *
 * @packageDocumentation
 */
export type { Cluster, ClusterOptions } from "./cluster.ts";
export { connectCluster } from "./connect-cluster.ts";
export { keychainCall, keychainReaders } from "./keychain-call.ts";
export type { FollowLogOptions } from "./logs/follow-log.ts";
export type { LogLine, LogTarget } from "./logs/log-line.ts";
export { diagnosePod, podError } from "./pods/pod-diagnosis.ts";
export type { DiagnosePodOptions, PodDiagnosis, PodFailureCode } from "./pods/pod-diagnosis.ts";
export { describeEvents, podEvents } from "./pods/pod-events.ts";
export { podOfJob, podsOfJob, type PodOfJobOptions } from "./pods/pod-of-job.ts";
export type { AccessRule, PolicyRule } from "./rest/access-review.ts";
export { requireAccess } from "./rest/require-access.ts";
export type { RequiredAccess } from "./rest/require-access.ts";
export type { ApiRequest, ClusterCall } from "./rest/api-client.ts";
export { namespaceNotFound } from "./rest/api-error.ts";
export type { ApiAction } from "./rest/api-error.ts";
export type { ApiQuery, ApiResource } from "./rest/api-resource.ts";
export { apiStatusOf } from "./rest/api-status.ts";
export type { ApiStatus } from "./rest/api-status.ts";
export type {
  ConfigMap,
  Deployment,
  Job,
  KubernetesEvent,
  KubernetesObject,
  Lease,
  Namespace,
  Node,
  ObjectReference,
  PersistentVolumeClaim,
  Pod,
  PodSpec,
  PodTemplateSpec,
  ResourceReference,
  Role,
  RoleBinding,
  Secret,
  Serialized,
  Service,
  ServiceAccount,
  StatefulSet,
} from "./rest/kubernetes-object.ts";
export type {
  ApplyOptions,
  DeleteOptions,
  ListOptions,
  ListResult,
  PatchOptions,
  ResourceClient,
} from "./rest/resource-client.ts";
export type { ExecStatus } from "./streams/channel-protocol.ts";
export type { ExecStream } from "./streams/exec-stream.ts";
export type { PortForwardTarget } from "./streams/port-forward.ts";
export type { AttachTarget, ContainerTarget, ExecTarget } from "./streams/remote-command.ts";
export { createServiceDialer, serviceAccessRbac, serviceOf, type ServiceName } from "./streams/service-dialer.ts";
export { sendVerified } from "./streams/send-verified.ts";
export type { VerifiedUpload, VerifiedUploadTarget } from "./streams/send-verified.ts";
export { isPodReady } from "./watch/wait-for-pod.ts";
export type { WaitForPodOptions } from "./watch/wait-for-pod.ts";
export type { WaitForOptions } from "./watch/wait-for.ts";
export type { WatchEvent, WatchOptions } from "./watch/watch.ts";
export { mergePodTemplate, type PodTemplate } from "./pod-template.ts";
