/**
 * Credentials for registries from Docker's configuration and from Secrets of a cluster, as one keychain.
 *
 * @packageDocumentation
 */
export { createKeychain } from "./create-keychain.ts";
export type { DockerConfigOptions } from "./docker-config.ts";
export { dockerConfig } from "./docker-config.ts";
export type { PullSecretOptions } from "./pull-secret.ts";
export { pullSecret } from "./pull-secret.ts";
