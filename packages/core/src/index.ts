/**
 * Builder, BuilderDriver, options, events, results and errors of Slipway.
 *
 * @packageDocumentation
 */
export {};
