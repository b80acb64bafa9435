/**
 * Build events as terminal or plain text output.
 *
 * @packageDocumentation
 */
export * from "@slipway/progress";
