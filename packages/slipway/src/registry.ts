/**
 * Image references and an OCI distribution client.
 *
 * @packageDocumentation
 */
export * from "@slipway/registry-client";
