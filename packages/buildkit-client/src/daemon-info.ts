/** What the daemon says about itself. */
export interface DaemonInfo {
  /** For example `v0.32.2`; absent before 0.11. */
  readonly version?: string;
  /** Of the built-in Dockerfile frontend; absent before 0.30. */
  readonly dockerfileVersion?: string;
}

/** A worker of the daemon; builds always use the first. */
export interface WorkerInfo {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `os/architecture[/variant]`, native first. */
  readonly platforms: readonly string[];
}

/** A record of the build cache. */
export interface CacheRecord {
  readonly id: string;
  /** `regular`, `source.local`, `exec.cachemount`, `frontend`, `internal`, … */
  readonly kind: string;
  readonly description: string;
  readonly sizeBytes: number;
  readonly inUse: boolean;
  /** Other records or results need it too. */
  readonly shared: boolean;
  readonly createdMs?: number;
  readonly lastUsedMs?: number;
}

/** What to drop from the build cache. What is in use stays. */
export interface PruneCacheOptions {
  /** Keep what was used within this time. @defaultValue 0 */
  readonly unusedForMs?: number;
  /** Stop once the cache is not larger than this. @defaultValue 0 */
  readonly keepBytes?: number;
  /** Include internal and frontend records. @defaultValue false */
  readonly all?: boolean;
}

/** What a call may be given. */
export interface DaemonCall {
  readonly signal?: AbortSignal | undefined;
}
