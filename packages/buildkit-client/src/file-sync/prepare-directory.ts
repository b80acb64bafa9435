import { expectedFilter, type ContextFiles } from "./expected-filter.ts";
import { isLarge } from "./is-large.ts";
import { PreparedDirectory } from "./prepared-directory.ts";

/** The part of `prepareContext` that loads code. */
export function prepareDirectory(root: string, files: ContextFiles): PreparedDirectory | undefined {
  const filter = expectedFilter(files);
  return filter !== undefined && isLarge(root, filter.followPaths) ? new PreparedDirectory(root, filter) : undefined;
}
