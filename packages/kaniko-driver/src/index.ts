/**
 * Builds with kaniko, one pod per build, in clusters that forbid privileged pods.
 *
 * @packageDocumentation
 */
export type { AdditionalMount, MountedItem, MountedObject } from "./additional-mounts.ts";
export { kanikoDriver, type KanikoDriver } from "./kaniko-driver.ts";
export type {
  KanikoBuildOptions,
  KanikoCache,
  KanikoDriverOptions,
  RegistryAccess,
  ResourceAmounts,
} from "./kaniko-options.ts";
export { podSecurityLevel, requiredRbac, workspaceRbac } from "./required-rbac.ts";
export type { KanikoWorkspace } from "./workspace-options.ts";
