import { nearestName, type OptionIssue } from "@slipway/core";

import { canonicalFlag, flagKind, flagName, flagNames, type FlagKind } from "./executor-flags.ts";
import { executorTitle, type Executor } from "./executor-version.ts";
import type { KanikoBuildOptions } from "./kaniko-options.ts";

/** A flag among the arguments that somebody has given. */
export interface Flag {
  /** By which the current executor knows it. */
  readonly name: string;
  /** By which this executor knows it. */
  readonly spelling: string;
  readonly value: string;
  /** Where it stands. */
  readonly path: string;
}

/** Where the driver decides itself, and a flag would break what it promises. */
const reserved: Readonly<Record<string, string>> = {
  context: "the context of the build is sent to the pod",
  "context-sub-path": "the context of the build is sent to the pod; give its subfolder as context",
  bucket: "the context of the build is sent to the pod",
  git: "the context of the build is sent to the pod",
  "digest-file": "the digest is read from there",
  "tar-path": "archives are outputs",
  "oci-layout-path": "archives are outputs",
  "log-format": "the log is read by the driver",
  "log-timestamp": "the log is read by the driver",
  "kaniko-dir": "the driver mounts files there",
};

/** The flags among `args`; what is wrong with one is an issue, and leaves it out. */
export function readFlags(options: KanikoBuildOptions, executor: Executor, issues: OptionIssue[]): readonly Flag[] {
  const words = options.args ?? [];
  const flags: Flag[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    const path = `args[${index}]`;
    const [, spelled, assigned] = /^--?([A-Za-z][\w-]*)(?:=([^]*))?$/.exec(word) ?? [];
    if (spelled === undefined) {
      issues.push({ path, message: `"${word}" is no flag; write --name=value` });
      continue;
    }
    const name = canonicalFlag(spelled);
    const kind = flagKind(name, executor);
    const known = kind === undefined ? unknownFlag(spelled, executor, options) : reservedFlag(name);
    const next = words[index + 1];
    const takesNext = assigned === undefined && kind !== "boolean" && next !== undefined && !next.startsWith("-");
    if (takesNext) index += 1;
    const value = takesNext ? next : assigned;
    const problem = known ?? valueProblem(spelled, kind, value);
    if (problem !== undefined) issues.push({ path, message: problem });
    const spelling = flagName(name, executor) ?? spelled;
    if (problem === undefined) flags.push({ name, spelling, path, value: value ?? "true" });
  }
  return flags;
}

function unknownFlag(spelled: string, executor: Executor, options: KanikoBuildOptions): string | undefined {
  if (options.allowUnknownFlags === true) return undefined;
  const names = flagNames(executor);
  const nearest = nearestName(spelled, names) ?? nearestName(canonicalFlag(spelled), names);
  const hint = nearest === undefined || nearest === spelled ? "" : `, did you mean --${nearest}?`;
  return `The executor (${executorTitle(executor)}) has no flag --${spelled}${hint || "; allowUnknownFlags hands it on"}`;
}

function reservedFlag(name: string): string | undefined {
  return Object.hasOwn(reserved, name) ? `--${name} cannot be given: ${reserved[name] ?? ""}` : undefined;
}

/** As Go reads values: a flag that is on or off may go without one. Of a flag that is not known, nobody can tell. */
function valueProblem(spelled: string, kind: FlagKind | undefined, value: string | undefined): string | undefined {
  const flag = spelled.length === 1 ? `-${spelled}` : `--${spelled}`;
  if (kind === "value" || kind === "list")
    return value === undefined ? `${flag} needs a value; write ${flag}=value` : undefined;
  if (kind === undefined || value === undefined || /^(1|t|true|0|f|false)$/i.test(value)) return undefined;
  return `${flag} is true or false, not ${JSON.stringify(value)}`;
}
