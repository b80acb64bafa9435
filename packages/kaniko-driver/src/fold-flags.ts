import { nearestName, type OptionIssue } from "@slipway/core";

import { canonicalFlag, flagKind, flagNames } from "./executor-flags.ts";
import type { Executor } from "./executor-version.ts";
import type { KanikoBuildOptions, KanikoCache } from "./kaniko-options.ts";

/** What is left of flags once options have taken theirs. */
export interface FoldedFlags {
  readonly options: KanikoBuildOptions;
  /** Flags that no option stands for, as `--name=value`. */
  readonly further: readonly string[];
  readonly warnings: readonly string[];
  readonly issues: readonly OptionIssue[];
}

interface Flag {
  readonly name: string;
  readonly value: string;
}

/** Where the driver decides itself, and a flag would break what it promises. */
const reserved: Readonly<Record<string, string>> = {
  context: "the context of the build is sent to the pod",
  "context-sub-path": "the context of the build is sent to the pod; give its subfolder as context",
  bucket: "the context of the build is sent to the pod",
  git: "the context of the build is sent to the pod",
  destination: "it is tags",
  dockerfile: "it is dockerfile",
  target: "it is target",
  "build-arg": "it is buildArgs",
  label: "it is labels",
  "custom-platform": "it is platforms",
  "digest-file": "the digest is read from there",
  "no-push": "a build without a push is another output",
  "tar-path": "archives are outputs",
  "oci-layout-path": "archives are outputs",
  "log-format": "the log is read by the driver",
  "log-timestamp": "the log is read by the driver",
  "kaniko-dir": "the driver mounts files there",
};

type Setter = (value: string) => KanikoBuildOptions;
const cache = (part: KanikoCache): KanikoBuildOptions => ({ cache: part });

/** Which option a flag stands for. */
const setters: Readonly<Record<string, Setter>> = {
  cache: (value) => cache({ enabled: isTrue(value) }),
  "cache-repo": (value) => cache({ repository: value }),
  "cache-ttl": (value) => cache({ ttl: value }),
  "cache-copy-layers": (value) => cache({ copyLayers: isTrue(value) }),
  "cache-run-layers": (value) => cache({ runLayers: isTrue(value) }),
  "cache-dir": (value) => cache({ directory: value }),
  "compressed-caching": (value) => cache({ compressed: isTrue(value) }),
  "snapshot-mode": (value) => ({ snapshotMode: value as NonNullable<KanikoBuildOptions["snapshotMode"]> }),
  "use-new-run": (value) => ({ useNewRun: isTrue(value) }),
  "single-snapshot": (value) => ({ singleSnapshot: isTrue(value) }),
  reproducible: (value) => ({ reproducible: isTrue(value) }),
  cleanup: (value) => ({ cleanup: isTrue(value) }),
  verbosity: (value) => ({ verbosity: value as NonNullable<KanikoBuildOptions["verbosity"]> }),
};

/**
 * Takes the flags that an option stands for out of `args`. The flag wins over the option; where they contradict each other, that is a warning. A flag that
 * the executor does not have is an issue with the name of the nearest one, since the executor would end at it.
 */
export function foldFlags(options: KanikoBuildOptions, executor: Executor): FoldedFlags {
  const issues: OptionIssue[] = [];
  const warnings: string[] = [];
  const further: string[] = [];
  let folded: KanikoBuildOptions = { ...options };
  for (const { name, value } of readFlags(options, executor, issues)) {
    const setter = Object.hasOwn(setters, name) ? setters[name] : undefined;
    if (setter === undefined) {
      further.push(`--${name}=${value}`);
      continue;
    }
    const change = setter(value);
    warnings.push(...conflicts(options, change, `--${name}=${value}`));
    folded = { ...folded, ...change, ...(change.cache ? { cache: { ...folded.cache, ...change.cache } } : {}) };
  }
  return { options: folded, further, warnings, issues };
}

function readFlags(options: KanikoBuildOptions, executor: Executor, issues: OptionIssue[]): readonly Flag[] {
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
    const problem = kind === undefined ? unknownFlag(spelled, executor, options) : reservedFlag(name);
    if (problem !== undefined) issues.push({ path, message: problem });
    const next = words[index + 1];
    const takesNext = assigned === undefined && kind !== "boolean" && next !== undefined && !next.startsWith("-");
    if (takesNext) index += 1;
    if (problem === undefined) flags.push({ name, value: assigned ?? (takesNext ? next : "true") });
  }
  return flags;
}

function unknownFlag(spelled: string, executor: Executor, options: KanikoBuildOptions): string | undefined {
  if (options.allowUnknownFlags === true) return undefined;
  const nearest = nearestName(canonicalFlag(spelled), flagNames(executor));
  const version = executor.version === undefined ? "" : ` v${executor.version.join(".")}`;
  const hint = nearest === undefined || nearest === spelled ? "" : `, did you mean --${nearest}?`;
  return `The executor (${executor.flavour}${version}) has no flag --${spelled}${hint || "; allowUnknownFlags hands it on"}`;
}

function reservedFlag(name: string): string | undefined {
  return Object.hasOwn(reserved, name) ? `--${name} cannot be given: ${reserved[name] ?? ""}` : undefined;
}

function conflicts(options: KanikoBuildOptions, change: KanikoBuildOptions, flag: string): readonly string[] {
  const given = { ...options, ...options.cache } as Readonly<Record<string, unknown>>;
  const wanted = { ...change, ...change.cache } as Readonly<Record<string, unknown>>;
  return Object.entries(wanted).flatMap(([key, value]) =>
    key === "cache" || given[key] === undefined || given[key] === value
      ? []
      : [`${flag} in args contradicts the option ${key}, which is ${JSON.stringify(given[key])}; the flag wins.`],
  );
}

function isTrue(value: string): boolean {
  return /^(1|t|true)$/i.test(value);
}
