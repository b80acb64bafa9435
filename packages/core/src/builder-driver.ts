import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { DriverEvent } from "./build-event.ts";
import type { BuildOptions, ResolvedBuildOptions } from "./build-options.ts";
import type { BuildResult, BuiltImage } from "./build-result.ts";
import type {
  DiskUsage,
  PruneOptions,
  PruneResult,
  PublishOptions,
  PublishResult,
  PullableOptions,
  PullableResult,
} from "./builder-maintenance.ts";
import type { Operation } from "./operation.ts";
import type { BuilderStatus, BuildInfo } from "./builder-status.ts";
import type { Feature } from "./feature.ts";
import type { FoundImage, ImageIdentity, ImageQuery } from "./found-image.ts";
import type { Keychain } from "./keychain.ts";
import type { Logger } from "./logger.ts";

/** Keys that a driver adds to `BuildOptions`, each with its schema: `{ kaniko: kanikoBuildOptionsSchema }`. */
export type BuildOptionSchemas = Readonly<Record<string, StandardSchemaV1>>;

/** The schemas of a driver without options of its own. */
export type NoBuildOptions = { readonly [Key in never]: StandardSchemaV1 };

/** A validated build. A driver's own key is always there: core parses an absent one as `{}`. */
export type BuildRequest<Schemas extends BuildOptionSchemas = NoBuildOptions> = ResolvedBuildOptions &
  Readonly<{ id: string; name: string }> & {
    readonly [Key in keyof Schemas]: StandardSchemaV1.InferOutput<Schemas[Key]>;
  };

/** What core gives to every call of a driver. */
export interface DriverCall {
  /** The caller's signal, the deadline, `cancel` and `close` in one. */
  readonly signal: AbortSignal;
  /** For the deadline that the cluster keeps when this process is gone. */
  readonly timeoutMs?: number;
  /** Of the builder and of the build, in this order and not yet ranked: `createKeychain` of `@slipway/secret-merging` puts what fits a repository best first. */
  readonly credentials: Keychain;
  readonly logger: Logger;
  /** Reports progress. Never throws, never waits. */
  readonly emit: (event: DriverEvent) => void;
}

/** Core completes it to a `BuildResult`, from the request and the events. */
export type DriverBuildResult = Partial<
  Pick<BuiltImage, "digest" | "reference" | "platforms"> & Pick<BuildResult, "metadata">
>;

/** Options that every builder has, as a driver has read them in its own keys. */
export interface FoldedOptions {
  /** They replace those of the build. */
  readonly options: Readonly<BuildOptions>;
  /** Where the two contradicted each other, for instance; each becomes an event of the build. */
  readonly warnings?: readonly string[];
}

/** What a plugin author implements: `build`, and each operation that the builder shall have. Disposed with its builder. */
export interface BuilderDriver<Schemas extends BuildOptionSchemas = NoBuildOptions> extends Partial<AsyncDisposable> {
  /** The version of this interface. */
  readonly specificationVersion: "v1";
  /** Shown in events and errors. */
  readonly name: string;
  /** What it can beyond a plain Dockerfile build; a build that asks for more is refused before `build` is called. */
  readonly features: readonly Feature[];
  /** Why it lacks a feature or an operation, and what does it instead: sentences without their full stop, which the refusal quotes. */
  readonly limitations?: Readonly<Partial<Record<Feature | Operation, string>>>;
  /** The keys that it adds to the options of a build; each schema accepts `{}`. */
  readonly buildOptions?: Schemas;
  /**
   * Reads what its own keys say about options that every builder has, such as a flag that stands for a tag. It comes first: what it returns is what is
   * parsed, checked, built, and told in the result. `given` is what the caller wrote, not yet checked; `own` is.
   */
  foldOptions?(
    given: Readonly<BuildOptions>,
    own: { readonly [Key in keyof Schemas]: StandardSchemaV1.InferOutput<Schemas[Key]> },
  ): FoldedOptions;
  /** To return is success, to throw is failure; once `signal` fires, it kills the remote build and then throws. */
  build(request: BuildRequest<Schemas>, call: DriverCall): Promise<DriverBuildResult>;
  /** Makes the builder ready before the first build needs it. */
  bootstrap?(call: DriverCall): Promise<void>;
  /** What the builder is made of and how it is; starts nothing. */
  status?(call: DriverCall): Promise<BuilderStatus>;
  /** Hands a build to the cluster: from its return on, the build needs nothing from this process. */
  submit?(request: BuildRequest<Schemas>, call: DriverCall): Promise<void>;
  /** Follows a build of any process, from its first event; once `signal` fires, it lets go. Needs `builds` and `cancel`. */
  attach?(buildId: string, call: DriverCall): Promise<DriverBuildResult>;
  /** Kills a build of any process; resolves when it is dead. */
  cancel?(buildId: string, call: DriverCall): Promise<void>;
  /** Running builds and those still on record. */
  builds?(call: DriverCall): Promise<readonly BuildInfo[]>;
  /** Drops cache, and whatever builds of dead processes have left. */
  prune?(options: PruneOptions, call: DriverCall): Promise<PruneResult>;
  /** What the cache takes. */
  diskUsage?(call: DriverCall): Promise<DiskUsage>;
  /** Copies an image to other registries. */
  publish?(options: PublishOptions, call: DriverCall): Promise<PublishResult>;
  /** What a registry serves under a reference, if it does so for all platforms that are asked for. Starts nothing. */
  find?(query: ImageQuery, call: DriverCall): Promise<FoundImage | undefined>;
  /**
   * One hash of all that a build is made of, for `skipIfPresent`: never the same for what could become another image, secrets aside.
   * `unchangedSinceMs`: refuse files that were changed later.
   */
  identify?(
    request: BuildRequest<Schemas>,
    call: DriverCall,
    options?: { readonly unchangedSinceMs: number },
  ): Promise<string>;
  /** Leaves the identity of an image where `find` will see it, bound to the image's digest. */
  recordIdentity?(image: ImageIdentity, call: DriverCall): Promise<void>;
  /** Gives a ServiceAccount what its pods need to pull, now and at each later build and publish. */
  ensurePullable?(options: PullableOptions, call: DriverCall): Promise<PullableResult>;
  /** Gives compute back and keeps state; the next build starts it again. */
  stop?(call: DriverCall): Promise<void>;
  /** Deletes what `bootstrap` made. */
  remove?(options: { readonly keepState: boolean }, call: DriverCall): Promise<void>;
}
