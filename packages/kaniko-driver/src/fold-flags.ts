import type { OptionIssue } from "@slipway/core";

import { flagKind } from "./executor-flags.ts";
import type { Executor } from "./executor-version.ts";
import { isAskedFlag } from "./fold-asked.ts";
import { contradictions, flagChange, type FoldableOptions } from "./flag-options.ts";
import { kanikoBuildOptionsSchema } from "./kaniko-options.ts";
import { readFlags } from "./read-flags.ts";

/** What is left of flags once options have taken theirs. */
export interface FoldedFlags {
  readonly options: FoldableOptions;
  /** Flags that no option stands for, as `--name=value`. */
  readonly further: readonly string[];
  readonly warnings: readonly string[];
  readonly issues: readonly OptionIssue[];
}

/**
 * Takes the flags that an option stands for out of `args`. The flag wins over the option; where they contradict each other, that is a warning. A flag that
 * the executor does not have is an issue with the name of the nearest one, since the executor would end at it.
 */
export function foldFlags(given: FoldableOptions, executor: Executor): FoldedFlags {
  const issues: OptionIssue[] = [];
  const warnings: string[] = [];
  const further: string[] = [];
  const seen = new Set<string>();
  let options = given;
  for (const { name, spelling, value, path } of readFlags(given, executor, issues)) {
    if (isAskedFlag(name)) continue;
    // Of what an option holds once, the executor gets the rest as flags, if it takes more.
    const isRepeated = name === "target" && flagKind(name, executor) === "list" && seen.has(name);
    const change = isRepeated ? undefined : flagChange(name, value, options);
    seen.add(name);
    if (change === undefined) {
      further.push(`--${spelling}=${value}`);
      continue;
    }
    const flag = `--${name}=${value}`;
    issues.push(...valueIssues(change, path));
    for (const [option, old] of contradictions(given, change))
      warnings.push(
        `${flag} in args contradicts the option ${option}, which is ${JSON.stringify(old)}; the flag wins.`,
      );
    options = { ...options, ...change };
  }
  return { options, further, warnings: [...new Set(warnings)], issues };
}

/** What the option that a flag stands for does not take: the executor would end at it. */
function valueIssues(change: FoldableOptions, path: string): readonly OptionIssue[] {
  const { cache, snapshotMode, verbosity } = change;
  const own = { cache, snapshotMode, verbosity };
  const { error } = kanikoBuildOptionsSchema.safeParse(own);
  return (error?.issues ?? []).map((issue) => ({ path, message: `${issue.path.join(".")} ${issue.message}` }));
}
