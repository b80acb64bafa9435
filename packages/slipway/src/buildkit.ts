/**
 * Builds with BuildKit pods in the cluster.
 *
 * @packageDocumentation
 */
export * from "@slipway/buildkit-driver";
