/**
 * What of a folder belongs to a build: `.dockerignore` and the context scan.
 *
 * @packageDocumentation
 */
export * from "@slipway/context-sync";
