/**
 * Builder, BuilderDriver, options, events, results and errors of Slipway.
 *
 * @packageDocumentation
 */
export { createBuilder } from "./builder.ts";
export type {
  BaseBuilder,
  BuildCallOptions,
  BuildOptionsOf,
  Builder,
  BuilderOperations,
  CallOptions,
  CreateBuilderOptions,
  OperationCallOptions,
  OperationsOf,
  SchemasOf,
} from "./builder.ts";
export { operations } from "./operation.ts";
export type { Operation } from "./operation.ts";
export type { BuildRun } from "./build-run.ts";
export { buildOptionsSchema } from "./build-options.ts";
export type {
  BuildOptions,
  Expanded,
  Filled,
  Named,
  OptionsShape,
  ResolvedBuildOptions,
  Undefaulted,
} from "./build-options.ts";
export { contextSchema } from "./context.ts";
export type { Context } from "./context.ts";
export { secretSchema } from "./secret.ts";
export type { SecretReader, SecretSource } from "./secret.ts";
export { cacheSchema } from "./cache.ts";
export type { Cache } from "./cache.ts";
export { outputSchema } from "./output.ts";
export type { ArchiveSink, Output } from "./output.ts";
export { helperImage, helperImagesSchema } from "./helper-images.ts";
export type { HelperImageName, HelperImages } from "./helper-images.ts";
export { requiredFeatures } from "./feature.ts";
export type { Feature } from "./feature.ts";
export type { BuildEvent, BuildEvents, DriverEvent, DriverEvents, PodPhase } from "./build-event.ts";
export type { BuildResult, BuildStep, BuiltImage } from "./build-result.ts";
export { BuilderError, builderErrorCodes } from "./builder-error.ts";
export type {
  AnyBuilderError,
  BuilderErrorCode,
  BuilderErrorData,
  BuilderErrorDetails,
  BuilderErrorInit,
  PodDetails,
  RegistryDetails,
} from "./builder-error.ts";
export type { BuildInfo, BuilderNode, BuilderState, BuilderStatus } from "./builder-status.ts";
export type {
  DiskUsage,
  DiskUsageRecord,
  PullableOptions,
  PullableResult,
  PruneOptions,
  PruneResult,
  PublishedImage,
  PublishOptions,
  PublishResult,
} from "./builder-maintenance.ts";
export type {
  BuildOptionSchemas,
  BuildRequest,
  BuilderDriver,
  DriverBuildResult,
  DriverCall,
  FoldedOptions,
  NoBuildOptions,
} from "./builder-driver.ts";
export { dockerfilePath } from "./dockerfile-path.ts";
export type { FindOptions, FoundImage, ImageIdentity, ImageQuery } from "./found-image.ts";
export { BuiltImages, needsVersionTag } from "./built-images.ts";
export type { IdentifyBuild } from "./built-images.ts";
export { repositoryOf } from "./image-reference.ts";
export { normalizePlatform } from "./platform-name.ts";
export type { DestinationOutcome, FailedDestination } from "./publish-failures.ts";
export { destinationFailures, publishFailed } from "./publish-failures.ts";
export { askGate, publishRefused } from "./publish-gate.ts";
export type { GatedDestination, GatedImage } from "./publish-gate.ts";
export { wrapDriver } from "./driver-middleware.ts";
export type { DriverMiddleware } from "./driver-middleware.ts";
export { credentialPath } from "./credential-path.ts";
export { credentialValues, isSameCredential } from "./credential-values.ts";
export type {
  Credential,
  HelperOutput,
  Keychain,
  KeychainCall,
  NameInCluster,
  RegistryResource,
  SecretData,
  ServiceAccountData,
} from "./keychain.ts";
export type { Logger } from "./logger.ts";
export { redactSecrets } from "./redaction.ts";
export { namesUser, quoteReference, userBeforeReference } from "./reference-user.ts";
export { invalidOptions } from "./invalid-options.ts";
export { parseOptions } from "./parse-options.ts";
export { isMissingPackage } from "./missing-package.ts";
export { nearestName } from "./nearest-name.ts";
export type { OptionIssue } from "./invalid-options.ts";
export { unlessAborted } from "./unless-aborted.ts";
