export type PruneOptions = Readonly<{ unusedForMs?: number; keepBytes?: number }>;

export type PruneResult = Readonly<{ reclaimedBytes: number; objects: readonly string[] }>;

export type DiskUsage = Readonly<{ totalBytes: number; reclaimableBytes: number; records: readonly DiskUsageRecord[] }>;

export type DiskUsageRecord = Readonly<{
  id: string;
  node: string;
  kind: string;
  sizeBytes: number;
  inUse: boolean;
  lastUsedMs?: number;
}>;

export type PublishOptions = Readonly<{
  source: string;
  destinations: readonly string[];
  platforms?: readonly string[];
}>;

export type PublishResult = Readonly<{ digest: string; references: readonly string[]; sentBytes: number }>;
