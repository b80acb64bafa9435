import { join } from "node:path";

import { createPatternMatcher } from "../pattern-matcher.ts";
import type { DirectoryMatch, PatternMatcher } from "../pattern-matcher.ts";
import { parseDockerignore } from "../dockerignore.ts";
import { matchFilepath } from "../filepath-match.ts";
import { resolveFollowPaths } from "../follow-paths.ts";
import { scanContext } from "../scan-context.ts";
import type { ScanEntry } from "../scan-entry.ts";
import type { ReferenceCases } from "./reference-cases.ts";

/** The answer to each question in the order of the questions: what came out, or `"error"`. */
export type ReferenceAnswers = Readonly<Record<Exclude<keyof ReferenceCases, "trees">, readonly unknown[]>>;

/** What this package answers, in the notation of the Go reference. The trees stand below `directory`. */
export function answerCases(cases: ReferenceCases, directory: string): ReferenceAnswers {
  return {
    ignoreFiles: cases.ignoreFiles.map((text) => attempt(() => parseDockerignore(text))),
    names: cases.names.map(([pattern, name]) => attempt(() => matchFilepath(pattern, name))),
    patterns: cases.patterns.map(({ patterns, paths }) =>
      attempt(() => matchPaths(createPatternMatcher(patterns), paths)),
    ),
    follows: cases.follows.map(({ tree, followPaths = [] }) =>
      attempt(() => resolveFollowPaths(join(directory, tree), followPaths)),
    ),
    scans: cases.scans.map(({ tree, ...options }) =>
      attempt(() => Array.from(scanContext(join(directory, tree), options), formatEntry)),
    ),
  };
}

/** What comes out, or `"error"`. */
export function attempt(action: () => unknown): unknown {
  try {
    return action();
  } catch {
    return "error";
  }
}

/** Two digits for each path: its match on its own, and that with what was said about its parents. */
export function matchPaths(matcher: PatternMatcher, paths: readonly string[]): string {
  return paths.map((path) => digit(() => matcher.matches(path)) + digit(() => matchFromRoot(matcher, path))).join(" ");
}

function matchFromRoot(matcher: PatternMatcher, path: string): boolean {
  const components = path.split("/");
  let parent: DirectoryMatch | undefined;
  for (let length = 1; length < components.length; length++) {
    parent = matcher.matchDirectory(components.slice(0, length).join("/"), parent);
  }
  return matcher.matches(path, parent);
}

function digit(match: () => boolean): string {
  try {
    return match() ? "1" : "0";
  } catch {
    return "e";
  }
}

function formatEntry(entry: ScanEntry): string {
  const { path, mode, size, mtimeNs, linkname = "", devMajor, devMinor } = entry;
  return `${path}|${goFileMode(mode).toString(8)}|${size}|${mtimeNs}|${linkname}|${devMajor}:${devMinor}`;
}

const goTypeBits: Readonly<Record<number, number>> = {
  0o040000: 2 ** 31,
  0o120000: 2 ** 27,
  0o060000: 2 ** 26,
  0o020000: 2 ** 26 + 2 ** 21,
  0o010000: 2 ** 25,
};

/** Go's `os.FileMode` for a `st_mode`. */
function goFileMode(mode: number): number {
  const special = (mode & 0o4000 ? 2 ** 23 : 0) + (mode & 0o2000 ? 2 ** 22 : 0) + (mode & 0o1000 ? 2 ** 20 : 0);
  return (goTypeBits[mode & 0o170000] ?? 0) + special + (mode & 0o777);
}
