/**
 * Builds with kaniko, one pod per build, in clusters that forbid privileged pods.
 *
 * @packageDocumentation
 */
export * from "@slipway/kaniko-driver";
