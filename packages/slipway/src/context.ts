/**
 * Build contexts: `.dockerignore`, scan, archives, identities, watches, and workspaces in the cluster.
 *
 * @packageDocumentation
 */
export * from "@slipway/context-sync";
