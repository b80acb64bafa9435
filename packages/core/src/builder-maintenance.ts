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

/** An image, and the references that it is copied to. */
export type PublishOptions = Readonly<{
  source: string;
  destinations: readonly string[];
  platforms?: readonly string[];
}>;

/** What `publish` has done; `sentBytes` leaves out layers that the destinations had. */
export type PublishResult = Readonly<{ digest: string; references: readonly string[]; sentBytes: number }>;
