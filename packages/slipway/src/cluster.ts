/**
 * Kubernetes access: REST, apply, streams, logs, watch and pod diagnosis.
 *
 * @packageDocumentation
 */
export * from "@slipway/cluster";
