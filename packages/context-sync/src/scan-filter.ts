import { followedPaths, withoutDescendants } from "./follow-paths.ts";
import type { DirectoryMatch, PatternMatcher } from "./pattern-matcher.ts";
import { createPatternMatcher } from "./pattern-matcher.ts";

/** Which part of a context to list. */
export interface ScanOptions {
  /** Patterns of which an entry, or a directory above it, must match one. @defaultValue everything */
  readonly include?: readonly string[] | undefined;
  /** Patterns of a `.dockerignore` file, as {@link parseDockerignore} returns them. @defaultValue nothing */
  readonly exclude?: readonly string[] | undefined;
  /** Paths to include along with the symbolic links that lead to them; see {@link resolveFollowPaths}. */
  readonly followPaths?: readonly string[] | undefined;
}

/** What the filter remembers about a directory on the way down. */
export interface DirectoryState {
  readonly include: DirectoryMatch | undefined;
  readonly exclude: DirectoryMatch | undefined;
}

/** `keep`: part of the result; `descend`: only if it is a directory that holds something kept; `skip`: neither. */
export type Verdict = "keep" | "descend" | "skip";

/** The decision about each path, given the state of the directory that holds it. */
export interface ScanFilter {
  judge(path: string, parent: DirectoryState): Verdict;
  enter(path: string, parent: DirectoryState): DirectoryState;
}

/** Builds the filter of a scan with the semantics of fsutil's `FilterFS`: `include` first, then `exclude`. */
export function createScanFilter(root: string, options: ScanOptions): ScanFilter {
  const patterns = includePatterns(root, options);
  const include = patterns.length > 0 ? createPatternMatcher(patterns) : undefined;
  const exclude = options.exclude && options.exclude.length > 0 ? createPatternMatcher(options.exclude) : undefined;
  const mayInclude = include && reachOf(include, false);
  const mayTakeBack = exclude && reachOf(exclude, true);
  return {
    judge: (path, parent) => {
      const included = include?.matches(path, parent.include) ?? true;
      if (!included && mayInclude?.(path) === false) return "skip";
      const excluded = exclude?.matches(path, parent.exclude) ?? false;
      if (excluded && mayTakeBack?.(path) === false) return "skip";
      return included && !excluded ? "keep" : "descend";
    },
    enter: (path, parent) => ({
      include: include?.matchDirectory(path, parent.include),
      exclude: exclude?.matchDirectory(path, parent.exclude),
    }),
  };
}

function includePatterns(root: string, { include = [], followPaths }: ScanOptions): readonly string[] {
  const followed = followPaths && followedPaths(root, followPaths);
  if (followed === undefined) return include;
  return withoutDescendants([...include, ...followed]) ?? [];
}

/** Whether one of the patterns, of the exclusions or of the others, can match something below a directory. */
function reachOf(matcher: PatternMatcher, exclusion: boolean): (directory: string) => boolean {
  const prefixes = matcher.patterns
    .filter((pattern) => pattern.exclusion === exclusion)
    .map(({ text }) => text.replace(/\/\*\*$/, "").replace(/\/\*$/, ""));
  if (prefixes.some((prefix) => /[*[\]?^\\]/.test(prefix))) return () => true;
  const reached = prefixes.map((prefix) => `${prefix}/`);
  return (directory) => reached.some((prefix) => prefix.startsWith(`${directory}/`));
}
