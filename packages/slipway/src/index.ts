/**
 * Builds container images inside a Kubernetes cluster.
 *
 * @packageDocumentation
 */
export * from "@slipway/core";
