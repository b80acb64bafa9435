import type { BuilderErrorCode } from "./builder-error.ts";

/** What `prune` may drop: what nobody used for `unusedForMs`, down to `keepBytes`; everything that is not in use if neither is given. */
export type PruneOptions = Readonly<{ unusedForMs?: number; keepBytes?: number }>;

/** What `prune` has dropped: how many bytes, and the names of the objects. */
export type PruneResult = Readonly<{ reclaimedBytes: number; objects: readonly string[] }>;

/** What the cache of a builder takes, and how much of it `prune` could give back. */
export type DiskUsage = Readonly<{ totalBytes: number; reclaimableBytes: number; records: readonly DiskUsageRecord[] }>;

/** One entry of the cache; `lastUsedMs` is the time in epoch milliseconds. */
export type DiskUsageRecord = Readonly<{
  id: string;
  node: string;
  kind: string;
  sizeBytes: number;
  inUse: boolean;
  lastUsedMs?: number;
}>;

/** An image, and where it is copied to. */
export interface PublishOptions {
  /** Any image that a registry serves; by digest it cannot change meanwhile. */
  readonly source: string;
  /**
   * `registry/repository:tag`, or without a tag: then `versionTag` is the tag. One that fails does not stop the others: the error comes when they are done,
   * is retryable if all failures are, and if several have failed its `cause` is an `AggregateError` with the error of each.
   */
  readonly destinations: readonly string[];
  /**
   * Tag of the destinations that have none.
   *
   * @defaultValue `v-` and a hash of what the image was built from: this builder has built it, or a build with `skipIfPresent` has recorded it in the registry
   */
  readonly versionTag?: string;
  /** Leave the other platforms out. The index is written anew, so its digest is another one. @defaultValue all */
  readonly platforms?: readonly string[];
  /** Copy what refers to the image too: signatures, SBOMs, the tags of cosign. @defaultValue `true` */
  readonly referrers?: boolean;
  /** Find out how many bytes would travel, and change no registry. The builder is started all the same: what it reaches is what counts. @defaultValue `false` */
  readonly dryRun?: boolean;
  /** Create a repository that does not exist, where the registry wants that (Amazon ECR). @defaultValue `false` */
  readonly createRepository?: boolean;
  /**
   * Called once for all destinations, when the image is under its digest at each of them that has not failed, before any of its tags moves: scan, sign, apply
   * a policy. To throw is to refuse: none of the destinations' tags moves, and none of cosign's. The list of what refers to the image has come with it by then, which
   * is an index under the tag `sha256-…` where the registry keeps none. For all or nothing, throw if `failed` is not empty; a tag can still fail to move afterwards.
   * If destinations have failed when it throws, `cause` is an `AggregateError` with what it has thrown, and the error of each.
   * Not called if no tag would move: in a `dryRun`, and where every destination has its tags already, those of cosign included, or has failed.
   */
  readonly beforeTag?: (image: PublishedImage, call: { readonly signal: AbortSignal }) => void | Promise<void>;
}

/** An image before its tags move. Each repository that is a destination is in one of three lists, under the name `registry/repository@digest`. */
export type PublishedImage = Readonly<{
  digest: string;
  /** Where the image is, and a tag will move: one of the destination's, or one of cosign. Never empty. */
  references: readonly string[];
  /** Where the image is under all tags of the destination already: no tag will move there. */
  unchanged: readonly string[];
  /** Destinations that have failed so far, why, and whether another attempt may mend it: no tag will move there. The others get theirs nevertheless. */
  failed: readonly Readonly<{ reference: string; code: BuilderErrorCode; message: string; retryable: boolean }>[];
  platforms: readonly Readonly<{ platform: string; digest: string }>[];
}>;

/** What `publish` has done: bytes of layers that were sent, that the registry took from another repository, and that the destinations had. */
export type PublishResult = Readonly<{
  digest: string;
  references: readonly string[];
  sentBytes: number;
  mountedBytes: number;
  skippedBytes: number;
}>;

/** Who shall be able to pull what the builder builds. */
export interface PullableOptions {
  /** Where the pods run. */
  readonly namespace: string;
  /** The account that they run under. @defaultValue `"default"` */
  readonly serviceAccount?: string;
  /** Images that they pull, repositories, or registries: what has no slash is a registry if its host has a dot, is `localhost` or is configured in the driver (`ghcr.io`, `localhost:5000`), else an image of Docker Hub (`nginx:1`). @defaultValue the registries that the builder is configured with, and what it has pushed and published in this process */
  readonly images?: readonly string[];
}

/** The Secrets that the account pulls with now, and what a node will not be able to use. */
export type PullableResult = Readonly<{ secrets: readonly string[]; warnings: readonly string[] }>;
