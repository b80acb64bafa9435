import type { ShownFile } from "./shown-files.ts";
import type { Walk } from "./walk.ts";

/** What the daemon wants to see of a source. Without paths and patterns that is everything. */
export interface FileFilter {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly followPaths: readonly string[];
}

/** Files that can be shown to the daemon and sent when it asks. */
export interface FileSource {
  walk(filter: FileFilter): Walk;
  /** @throws BuilderError `CONTEXT_INVALID` */
  open(file: ShownFile): OpenFile;
  /** The digest of what a walk with this filter would show, where it is made beforehand anyway. */
  digest?(filter: FileFilter): Promise<string | undefined>;
}

/** A file that is being sent. */
export interface OpenFile {
  /** Reads on; fewer bytes than asked for mean that the file has become shorter. Synchronous where that is faster. */
  read(target: Buffer, offset: number, length: number): number | Promise<number>;
  /** Whether the file is still the one that was shown. */
  unchanged(): boolean;
  close(): void;
}
