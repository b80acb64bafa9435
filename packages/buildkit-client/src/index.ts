/**
 * BuildKit's gRPC and session protocol over any Duplex stream.
 *
 * @packageDocumentation
 */
export {};
