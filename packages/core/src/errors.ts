/**
 * Errors of Slipway, and what packages that have no options of their own share with the others, without the schemas. The classes are those of
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
export { unlessAborted } from "./unless-aborted.ts";
export { withoutUndefined } from "./without-undefined.ts";
