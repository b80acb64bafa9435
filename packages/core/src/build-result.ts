export interface BuildResult {
  readonly buildId: string;
  /** Absent when no output is an image. */
  readonly image?: BuiltImage;
  readonly steps: readonly BuildStep[];
  readonly context: Readonly<{ files: number; sentFiles: number; totalBytes: number; sentBytes: number }>;
  readonly pods: readonly string[];
  readonly queuedMs: number;
  readonly durationMs: number;
  /** What the engine reports beyond this, under its own keys. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface BuiltImage {
  /** Of the manifest, or of the index when there are several platforms. */
  readonly digest: string;
  /** Names exactly this image from now on: `repository@digest`, or the bare digest of one that was not pushed. */
  readonly reference: string;
  readonly tags: readonly string[];
  readonly platforms: readonly Readonly<{ platform: string; digest: string }>[];
}

export type BuildStep = Readonly<{
  id: string;
  name: string;
  platform?: string;
  cached: boolean;
  startedMs: number;
  durationMs: number;
}>;
