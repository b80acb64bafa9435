/** Which part of a local directory a daemon walked through. */
export interface ReceivedWalk {
  /** The key in `localDirectories`. */
  readonly name: string;
  /** What it wanted to see. */
  readonly filter: {
    readonly include: readonly string[];
    readonly exclude: readonly string[];
    readonly followPaths: readonly string[];
  };
  /** Of all that it was shown, and of the contents where it compares those. */
  readonly digest: string;
  /** Regular files that it was shown, and their size. */
  readonly files: number;
  readonly totalBytes: number;
}

/**
 * What a daemon has received of local directories, and the id of the session that it received them in. The id is part of the daemon's cache key for
 * local files: a build that names it again, while the same walks still show the same, finds the files in the daemon's cache and has nothing to
 * show. Plain data, which can be kept in a file.
 */
export interface ReceivedFiles {
  readonly session: string;
  readonly walks: readonly ReceivedWalk[];
}

/** Keeps {@link ReceivedFiles} from one build to the next, for one daemon and one shared key. */
export interface ReceivedFilesStore {
  /** Hands out what was kept, and forgets it: two builds at once must not offer a session of the same id. */
  take(): Promise<ReceivedFiles | undefined>;
  /** Keeps what the daemon has now. */
  keep(received: ReceivedFiles): Promise<void>;
}
