/**
 * Pull secrets and docker configuration as one keychain.
 *
 * @packageDocumentation
 */
export * from "@slipway/secret-merging";
