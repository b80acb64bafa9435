/**
 * .dockerignore and context scan.
 *
 * @packageDocumentation
 */
export {};
