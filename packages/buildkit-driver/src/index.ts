/**
 * Builds with BuildKit pods in a cluster.
 *
 * @packageDocumentation
 */
export { buildkitDriver } from "./buildkit-driver.ts";
export type { BuildkitDriver } from "./buildkit-driver.ts";
export type { BuildkitDriverOptions, ResourceAmounts } from "./buildkit-options.ts";
export type { RegistryAccess } from "./buildkitd-config.ts";
export { podSecurityLevel, requiredRbac } from "./required-rbac.ts";
