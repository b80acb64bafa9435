/**
 * Credentials for registries from every source as one keychain, and in the form that each program wants.
 *
 * @packageDocumentation
 */
export { createKeychain } from "./create-keychain.ts";
export type { ClusterAccessOptions } from "./cluster-access.ts";
export type { DockerConfigOptions } from "./docker-config.ts";
export { dockerConfig } from "./docker-config.ts";
export type { PullSecretOptions } from "./pull-secret.ts";
export { pullSecret } from "./pull-secret.ts";
export type { ServiceAccountSecretsOptions } from "./service-account-secrets.ts";
export { serviceAccountSecrets } from "./service-account-secrets.ts";
export type { StaticCredentialsOptions } from "./static-credentials.ts";
export { staticCredentials } from "./static-credentials.ts";
export { acrCredentials } from "./cloud/acr-credentials.ts";
export type { EcrCredentialsOptions } from "./cloud/ecr-credentials.ts";
export { ecrCredentials } from "./cloud/ecr-credentials.ts";
export { garCredentials } from "./cloud/gar-credentials.ts";
export type { CredentialConflict, ScopedCredential } from "./credential-conflict.ts";
export { findConflicts, formatConflict } from "./credential-conflict.ts";
export { inspectKeychain } from "./inspect-keychain.ts";
export type {
  CredentialConsumer,
  ExpiringEntry,
  KeychainReport,
  ReportedEntry,
  ReportedProblem,
  ShadowedEntry,
  UnusableEntry,
} from "./keychain-report.ts";
export type { HelperOutcome } from "./credential-helper.ts";
export { kubeletCredentials } from "./kubelet/kubelet-credentials.ts";
export type { KubeletCredentialsOptions } from "./kubelet/kubelet-credentials.ts";
export type { KubeletCredential, KubeletLookup } from "./kubelet/kubelet-lookup.ts";
export { kubeletLookup } from "./kubelet/kubelet-lookup.ts";
export type { DockerCliEntry } from "./docker-cli/docker-cli-config.ts";
export type { DockerCliLookup, DockerCliSettings } from "./docker-cli/docker-cli-lookup.ts";
export { dockerCliLookup } from "./docker-cli/docker-cli-lookup.ts";
export type {
  DockerAuth,
  DockerConfigJson,
  KanikoDockerConfig,
  KanikoDockerConfigOptions,
} from "./projections/kaniko-docker-config.ts";
export { kanikoDockerConfig } from "./projections/kaniko-docker-config.ts";
export type {
  ImagePullSecret,
  ImagePullSecretData,
  ImagePullSecretOptions,
  PulledImage,
  PulledImagesOptions,
} from "./projections/image-pull-secrets.ts";
export { imagePullSecretData, pulledImages } from "./projections/image-pull-secrets.ts";
export { registryAuthHeader } from "./projections/registry-auth-header.ts";
export { sessionCredential } from "./projections/session-credential.ts";
export type { EnsurePullableOptions, EnsurePullableResult, PullableCluster } from "./pullable/ensure-pullable.ts";
export { ensurePullable, pullableRbac } from "./pullable/ensure-pullable.ts";
