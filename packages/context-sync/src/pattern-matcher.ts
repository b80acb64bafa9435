import { clientPlatform, contextPattern, type ClientPlatform } from "./client-platform.ts";
import { contextInvalid } from "./context-invalid.ts";
import { cleanPath, trimSpace } from "./go-path.ts";
import type { CompiledPattern, Pattern } from "./pattern.ts";
import { compilePattern } from "./pattern.ts";

/** What the patterns said about a directory, for the answers about what it holds. */
export interface DirectoryMatch {
  /** Whether the directory itself matches. */
  readonly matched: boolean;
  /** For each pattern, 1 if it matched the directory or one of its parents. */
  readonly byPattern: Uint8Array;
}

/** Patterns in the order in which they are evaluated: the last one that matches decides. */
export interface PatternMatcher {
  /** Blank patterns are gone. */
  readonly patterns: readonly Pattern[];
  /** Whether a pattern begins with `!`. */
  readonly hasExclusions: boolean;
  /**
   * Whether the patterns match a file or one of its parent directories, minus what a later `!` pattern takes back.
   *
   * @param path - Relative to the context, separated by `/`.
   * @param parent - What {@link PatternMatcher.matchDirectory} said about the directory that holds it; without it every parent is tested.
   * @throws `CONTEXT_INVALID` for a pattern that only shows its error once it is used, such as `a*[`.
   */
  matches(path: string, parent?: DirectoryMatch): boolean;
  /** As {@link PatternMatcher.matches}, with what the patterns say about the directory's content. */
  matchDirectory(path: string, parent?: DirectoryMatch): DirectoryMatch;
}

/**
 * Compiles patterns with the meaning that `.dockerignore` has everywhere: that of moby/patternmatcher and its `MatchesUsingParentResults`.
 *
 * @param platform - of the client: on Windows a backslash separates. Defaults to that of this process.
 * @throws `CONTEXT_INVALID`, naming the pattern, for a lone `!` and for syntax that Go's `filepath.Match` refuses.
 */
export function createPatternMatcher(
  patterns: readonly string[],
  platform: ClientPlatform = clientPlatform,
): PatternMatcher {
  const compiled = patterns
    .map((pattern) => contextPattern(trimSpace(pattern), platform))
    .filter(Boolean)
    .map(compile);
  const evaluate = evaluatorOf(compiled);
  return {
    patterns: compiled,
    hasExclusions: compiled.some((pattern) => pattern.exclusion),
    matches: (path, parent) => evaluate(path, parent?.byPattern),
    matchDirectory: (path, parent) => {
      const byPattern = new Uint8Array(compiled.length);
      return { matched: evaluate(path, parent?.byPattern, byPattern), byPattern };
    },
  };
}

function compile(text: string): CompiledPattern {
  const cleaned = cleanPath(text);
  if (cleaned === "!")
    throw contextInvalid("!", 'The pattern "!" excludes nothing. Write the path behind the exclamation mark.');
  return cleaned.startsWith("!") ? compilePattern(cleaned.slice(1), true) : compilePattern(cleaned, false);
}

type Evaluate = (path: string, parent: Uint8Array | undefined, result?: Uint8Array) => boolean;

function evaluatorOf(patterns: readonly CompiledPattern[]): Evaluate {
  return (path, parent, result) => {
    let matched = false;
    for (let index = 0; index < patterns.length; index++) {
      const pattern = patterns[index];
      if (pattern === undefined) break;
      let match = parent?.[index] === 1;
      if (!match) {
        // A pattern that cannot change the outcome is not tested, and is no match for what lies below either.
        if (pattern.exclusion !== matched) continue;
        match = pattern.matches(path) || (parent === undefined && parentMatches(pattern, path));
      }
      if (!match) continue;
      if (result !== undefined) result[index] = 1;
      matched = !pattern.exclusion;
    }
    return matched;
  };
}

function parentMatches(pattern: CompiledPattern, path: string): boolean {
  for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
    if (pattern.matches(path.slice(0, slash))) return true;
  }
  return false;
}
