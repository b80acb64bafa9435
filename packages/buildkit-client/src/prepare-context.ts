import type { ContextFiles } from "./file-sync/expected-filter.ts";

/** A build context whose walk has begun. */
export interface PreparedContext extends Disposable {
  /** Its folder. */
  readonly root: string;
}

/**
 * Begins to walk through a build context, in a thread of its own, before a build asks for it: give the result to that build as its
 * `context` directory, and dispose of it afterwards. The walk counts if the daemon then asks for what was expected, within two seconds; else,
 * and where no thread can be started, the build walks itself. Undefined if it would not pay: the context has less than 2,000 entries, or what
 * the daemon will ask for cannot be told from the Dockerfile.
 */
export async function prepareContext(root: string, files: ContextFiles): Promise<PreparedContext | undefined> {
  const { prepareDirectory } = await import("./file-sync/prepare-directory.ts");
  return prepareDirectory(root, files);
}
