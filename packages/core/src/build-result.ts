/** What a build has made, and what it took. */
export interface BuildResult {
  /** Id of the build, as in its events. */
  readonly buildId: string;
  /** Absent when no output is an image. */
  readonly image?: BuiltImage;
  /** There if nothing was built, because the image was there already (`skipIfPresent`). */
  readonly skipped?: true;
  /** Of the attempt that succeeded, in the order in which they began. */
  readonly steps: readonly BuildStep[];
  /** Files of the contexts: how many there are, and how many had to travel; sizes in bytes. */
  readonly context: Readonly<{ files: number; sentFiles: number; totalBytes: number; sentBytes: number }>;
  /** Names of the pods that took part. */
  readonly pods: readonly string[];
  /** Time in the queue, in milliseconds. */
  readonly queuedMs: number;
  /** From the start of the work to its end, in milliseconds. */
  readonly durationMs: number;
  /** What the engine reports beyond this, under its own keys. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** An image that a build has made. */
export interface BuiltImage {
  /** Of the manifest, or of the index when there are several platforms. */
  readonly digest: string;
  /** Names exactly this image from now on: `repository@digest`, or the bare digest of one that was not pushed. */
  readonly reference: string;
  /** References that were asked for and point at this image now. */
  readonly tags: readonly string[];
  /** One entry per platform, with the digest of its manifest. */
  readonly platforms: readonly Readonly<{ platform: string; digest: string }>[];
}

/** One step of a build; `startedMs` is the time in epoch milliseconds. */
export type BuildStep = Readonly<{
  id: string;
  name: string;
  platform?: string;
  cached: boolean;
  startedMs: number;
  durationMs: number;
}>;
