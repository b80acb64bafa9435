import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { BuildEvent, DriverEvent } from "./build-event.ts";
import type { BuildOptions } from "./build-options.ts";
import type { BuildRun } from "./build-run.ts";
import type { BuilderDriver } from "./builder-driver.ts";
import type {
  DiskUsage,
  PruneOptions,
  PruneResult,
  PublishOptions,
  PublishResult,
  PullableOptions,
  PullableResult,
} from "./builder-maintenance.ts";
import type { BuilderStatus, BuildInfo } from "./builder-status.ts";
import { createBuilderOptionsSchema } from "./builder-options.ts";
import { DrivenBuilder } from "./driven-builder.ts";
import { parseOptions } from "./parse-options.ts";
import type { Feature } from "./feature.ts";
import type { FindOptions, FoundImage } from "./found-image.ts";
import type { Keychain } from "./keychain.ts";
import type { Logger } from "./logger.ts";
import type { Operation } from "./operation.ts";

/** What a builder is made of. */
export interface CreateBuilderOptions<Driver extends BuilderDriver> {
  /** Where and how images are built. */
  readonly driver: Driver;
  /** Where credentials for registries are found, asked in this order. @defaultValue none: anonymous */
  readonly credentials?: readonly Keychain[];
  /** Builds at a time; the rest wait. @defaultValue 4 */
  readonly concurrency?: number;
  /** Further attempts after an error that is `retryable`, such as a pod that was lost with its node. @defaultValue 2 */
  readonly retries?: number;
  /** Takes diagnostics; `console` fits. @defaultValue none */
  readonly logger?: Logger;
  /** Every event of every build, for telemetry and renderers. `build-queue` arrives inside the call of `build`. */
  readonly onEvent?: (event: BuildEvent) => void;
}

/**
 * Makes a builder of a driver. Nothing connects before the first build or operation.
 * @throws `INVALID_OPTIONS`
 */
export function createBuilder<Driver extends BuilderDriver>(options: CreateBuilderOptions<Driver>): Builder<Driver> {
  const builder: BaseBuilder & BuilderOperations = new DrivenBuilder(
    parseOptions(createBuilderOptionsSchema, options, "createBuilder"),
  );
  // Which operations are there depends on the driver, as the type says; an absent one throws.
  return builder;
}

/** What every call takes. */
export interface CallOptions {
  /** Ends the call; it settles when what it had started is gone. */
  readonly signal?: AbortSignal | undefined;
  /** From the start of the work, not of the wait in the queue. */
  readonly timeoutMs?: number | undefined;
  /** Asked before those of the builder. */
  readonly credentials?: readonly Keychain[];
}

/** What a call of `build` takes. */
export type BuildCallOptions = CallOptions & {
  /** The higher, the earlier. @defaultValue 0 */ readonly priority?: number;
};

/** What a call takes that reports progress to its caller. */
export type OperationCallOptions = CallOptions & {
  /** Called with what the driver reports, as it comes. */ readonly onEvent?: (event: DriverEvent) => void;
};

/** {@link BuildOptions} and the keys that the driver adds. */
export type BuildOptionsOf<Driver extends BuilderDriver> = BuildOptions & {
  readonly [Key in keyof SchemasOf<Driver>]?: SchemasOf<Driver>[Key] extends StandardSchemaV1<infer Input, unknown>
    ? Input
    : never;
};

/** The schemas of the keys that a driver adds. */
export type SchemasOf<Driver extends BuilderDriver> = NonNullable<Driver["buildOptions"]>;

/** What every builder can do. */
export interface BaseBuilder<Driver extends BuilderDriver = BuilderDriver> extends AsyncDisposable {
  /** Does not throw: whatever is wrong arrives through the run. */
  build(options: BuildOptionsOf<Driver>, call?: BuildCallOptions): BuildRun;
  /** Makes the builder ready before the first build needs it, and resolves with its status. */
  bootstrap(call?: OperationCallOptions): Promise<BuilderStatus>;
  /** What the builder is made of and how it is; starts nothing. */
  status(call?: CallOptions): Promise<BuilderStatus>;
  /** Whether the driver declares a feature, or has an operation. */
  supports(feature: Feature): boolean;
  /** Whether the driver has an operation; narrows the builder to one that has it. */
  supports<Name extends Operation>(operation: Name): this is this & Pick<BuilderOperations<Driver>, Name>;
  /** Lets go of what this process holds; what is in the cluster stays. */
  close(): Promise<void>;
}

/** What a builder can do if its driver can. */
export interface BuilderOperations<Driver extends BuilderDriver = BuilderDriver> {
  /** Starts a build that outlives this process; resolves when the cluster has all it needs. */
  submit(options: BuildOptionsOf<Driver>, call?: OperationCallOptions): Promise<BuildInfo>;
  /** Follows a build of any process, from its first event. Leaving the run leaves the build alone. */
  attach(buildId: string, call?: CallOptions): BuildRun;
  /** Ends a build of any process; resolves when it is dead. @throws `BUILD_NOT_FOUND` */
  cancel(buildId: string, call?: CallOptions): Promise<void>;
  /** Running builds and those still on record, newest first. */
  builds(call?: CallOptions): Promise<readonly BuildInfo[]>;
  /** Drops cache, and whatever builds of dead processes have left. */
  prune(options?: PruneOptions, call?: CallOptions): Promise<PruneResult>;
  /** What the cache takes. */
  diskUsage(call?: CallOptions): Promise<DiskUsage>;
  /** Copies an image to other registries, from where the builder is. */
  publish(options: PublishOptions, call?: OperationCallOptions): Promise<PublishResult>;
  /**
   * Looks for an image in its registry: whether `registry/repository:tag` is there, for all platforms that are asked for, and what it was built from. Starts no
   * pod. `undefined` if it is not there.
   *
   * @throws `REGISTRY_UNAVAILABLE`, `REGISTRY_UNAUTHORIZED`, `REGISTRY_REFUSED` if that cannot be known
   */
  find(reference: string, options?: FindOptions, call?: CallOptions): Promise<FoundImage | undefined>;
  /**
   * Gives a ServiceAccount the credentials with which its pods pull what the builder builds: those of the builder and of this call, as far as they are for
   * the images. They are brought in step at each later build and publish of this builder in this process, unless a build is skipped, and by calling this
   * again, from any process; what the builder has no credentials for any more goes. A source that cannot be read is a `warning` among the events.
   */
  ensurePullable(options: PullableOptions, call?: OperationCallOptions): Promise<PullableResult>;
  /** Gives compute back and keeps state; the next build starts the builder again. */
  stop(call?: CallOptions): Promise<void>;
  /** Deletes the builder; `keepState` keeps its cache if the driver can. */
  remove(options?: { readonly keepState?: boolean }, call?: CallOptions): Promise<void>;
}

/** Has exactly the operations of its driver. Plain `Builder` is any builder: ask it with `supports`. */
export type Builder<Driver extends BuilderDriver = BuilderDriver> = BaseBuilder<Driver> &
  Pick<BuilderOperations<Driver>, OperationsOf<Driver>>;

/** The names of the operations that a driver has. */
export type OperationsOf<Driver> = {
  [Name in Operation]: [Driver] extends [Record<Name, unknown>] ? Name : never;
}[Operation];
