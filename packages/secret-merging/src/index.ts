/**
 * Pull secrets and docker configuration as one keychain.
 *
 * @packageDocumentation
 */
export {};
