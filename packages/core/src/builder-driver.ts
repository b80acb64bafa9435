import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { DriverEvent } from "./build-event.ts";
import type { ResolvedBuildOptions } from "./build-options.ts";
import type { BuildResult, BuiltImage } from "./build-result.ts";
import type { DiskUsage, PruneOptions, PruneResult, PublishOptions, PublishResult } from "./builder-maintenance.ts";
import type { BuilderStatus, BuildInfo } from "./builder-status.ts";
import type { Feature } from "./feature.ts";
import type { Keychain } from "./keychain.ts";
import type { Logger } from "./logger.ts";

/** Keys that a driver adds to `BuildOptions`, each with its schema: `{ kaniko: kanikoBuildOptionsSchema }`. */
export type BuildOptionSchemas = Readonly<Record<string, StandardSchemaV1>>;

export type NoBuildOptions = { readonly [Key in never]: StandardSchemaV1 };

/** A validated build. A driver's own key is always there: core parses an absent one as `{}`. */
export type BuildRequest<Schemas extends BuildOptionSchemas = NoBuildOptions> = ResolvedBuildOptions &
  Readonly<{ id: string; name: string }> & {
    readonly [Key in keyof Schemas]: StandardSchemaV1.InferOutput<Schemas[Key]>;
  };

export interface DriverCall {
  /** The caller's signal, the deadline, `cancel` and `close` in one. */
  readonly signal: AbortSignal;
  /** For the deadline that the cluster keeps when this process is gone. */
  readonly timeoutMs?: number;
  readonly credentials: Keychain;
  readonly logger: Logger;
  /** Reports progress. Never throws, never waits. */
  readonly emit: (event: DriverEvent) => void;
}

/** Core completes it to a `BuildResult`, from the request and the events. */
export type DriverBuildResult = Partial<
  Pick<BuiltImage, "digest" | "reference" | "platforms"> & Pick<BuildResult, "metadata">
>;

/** What a plugin author implements: `build`, and each operation that the builder shall have. Disposed with its builder. */
export interface BuilderDriver<Schemas extends BuildOptionSchemas = NoBuildOptions> extends Partial<AsyncDisposable> {
  readonly specificationVersion: "v1";
  readonly name: string;
  readonly features: readonly Feature[];
  readonly buildOptions?: Schemas;
  /** To return is success, to throw is failure; once `signal` fires, it kills the remote build and then throws. */
  build(request: BuildRequest<Schemas>, call: DriverCall): Promise<DriverBuildResult>;
  /** Makes the builder ready before the first build needs it. */
  bootstrap?(call: DriverCall): Promise<void>;
  status?(call: DriverCall): Promise<BuilderStatus>;
  /** Hands a build to the cluster: from its return on, the build needs nothing from this process. */
  submit?(request: BuildRequest<Schemas>, call: DriverCall): Promise<void>;
  /** Follows a build of any process, from its first event; once `signal` fires, it lets go. Needs `builds` and `cancel`. */
  attach?(buildId: string, call: DriverCall): Promise<DriverBuildResult>;
  cancel?(buildId: string, call: DriverCall): Promise<void>;
  builds?(call: DriverCall): Promise<readonly BuildInfo[]>;
  prune?(options: PruneOptions, call: DriverCall): Promise<PruneResult>;
  diskUsage?(call: DriverCall): Promise<DiskUsage>;
  publish?(options: PublishOptions, call: DriverCall): Promise<PublishResult>;
  /** Gives compute back and keeps state; the next build starts it again. */
  stop?(call: DriverCall): Promise<void>;
  /** Deletes what `bootstrap` made. */
  remove?(options: { readonly keepState: boolean }, call: DriverCall): Promise<void>;
}
