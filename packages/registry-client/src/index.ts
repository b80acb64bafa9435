/**
 * Image references and an OCI distribution client.
 *
 * @packageDocumentation
 */
export {};
