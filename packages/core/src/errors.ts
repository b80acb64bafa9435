/**
 * Errors of Slipway and what their messages are made of, without the schemas of its options, for packages that have none. The classes are those of
 * `@slipway/core`.
 *
 * @packageDocumentation
 */
export { BuilderError } from "./builder-error.ts";
export { credentialValues } from "./credential-values.ts";
export type { OptionIssue } from "./invalid-options.ts";
export { invalidOptions } from "./invalid-options.ts";
export { isMissingPackage } from "./missing-package.ts";
export { normalizePlatform } from "./platform-name.ts";
export type { DestinationOutcome, FailedDestination } from "./publish-failures.ts";
export { destinationFailures, publishFailed } from "./publish-failures.ts";
export { askGate, publishRefused } from "./publish-gate.ts";
export { redactSecrets } from "./redaction.ts";
export { namesUser, quoteReference, userBeforeReference } from "./reference-user.ts";
export { typosFirst, unknownKeyMessage } from "./unknown-key.ts";
export { withoutUndefined } from "./without-undefined.ts";
