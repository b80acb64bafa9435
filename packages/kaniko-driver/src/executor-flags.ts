import { isAtLeast, type Executor, type ExecutorFlavour } from "./executor-version.ts";

/** What a flag takes: nothing but `true` and `false`, one value, or one at each of its occurrences. */
export type FlagKind = "boolean" | "value" | "list";

interface FlagRule {
  readonly kind: FlagKind;
  /** @defaultValue every version that is supported */
  readonly since?: readonly [number, number, number];
  /** @defaultValue every flavour */
  readonly flavours?: readonly ExecutorFlavour[];
}

const boolean: FlagRule = { kind: "boolean" };
const value: FlagRule = { kind: "value" };
const list: FlagRule = { kind: "list" };

/**
 * The flags of executors, without dashes. An executor that meets a flag it does not know ends at once, so flags are checked before a pod is made.
 * Source: `addKanikoOptionsFlags` in cmd/executor/cmd/root.go of GoogleContainerTools v1.24.0, and the READMEs of the forks.
 */
const flagRules: Readonly<Record<string, FlagRule>> = {
  annotation: { ...list, flavours: ["osscontainertools", "chainguard"] },
  "build-arg": list,
  bucket: value,
  cache: boolean,
  "cache-copy-layers": { ...boolean, since: [1, 3, 0] },
  "cache-dir": value,
  "cache-repo": value,
  "cache-run-layers": { ...boolean, since: [1, 9, 0] },
  "cache-ttl": value,
  cleanup: boolean,
  "compressed-caching": { ...boolean, since: [1, 7, 0] },
  compression: { ...value, since: [1, 9, 0] },
  "compression-level": { ...value, since: [1, 9, 0] },
  context: value,
  "context-sub-path": value,
  "custom-platform": { ...value, since: [1, 9, 2] },
  destination: list,
  "digest-file": value,
  dockerfile: value,
  force: boolean,
  "force-build-metadata": { ...boolean, since: [1, 9, 0] },
  git: value,
  "ignore-path": { ...list, since: [1, 6, 0] },
  "ignore-var-run": { ...boolean, since: [1, 8, 0] },
  "image-download-retry": { ...value, since: [1, 9, 2] },
  "image-format": { ...value, flavours: ["osscontainertools"] },
  "image-fs-extract-retry": { ...value, since: [1, 6, 0] },
  "image-name-tag-with-digest-file": { ...value, since: [1, 6, 0] },
  "image-name-with-digest-file": value,
  insecure: boolean,
  "insecure-pull": boolean,
  "insecure-registry": list,
  "kaniko-dir": { ...value, since: [1, 7, 0] },
  label: list,
  "log-format": value,
  "log-timestamp": boolean,
  "no-push": boolean,
  "no-push-cache": { ...boolean, since: [1, 9, 2] },
  "oci-layout-path": value,
  "push-ignore-immutable-tag-errors": { ...boolean, since: [1, 11, 0] },
  "push-retry": value,
  "registry-certificate": list,
  "registry-client-cert": { ...list, since: [1, 10, 0] },
  "registry-map": { ...list, since: [1, 10, 0] },
  "registry-mirror": list,
  reproducible: boolean,
  secret: { ...list, flavours: ["osscontainertools"] },
  "single-snapshot": boolean,
  "skip-default-registry-fallback": { ...boolean, since: [1, 21, 0] },
  "skip-push-permission-check": { ...boolean, since: [1, 21, 0] },
  "skip-tls-verify": boolean,
  "skip-tls-verify-pull": boolean,
  "skip-tls-verify-registry": list,
  "skip-unused-stages": boolean,
  "snapshot-mode": value,
  "tar-path": value,
  target: value,
  "use-new-run": { ...boolean, since: [0, 24, 0] },
  verbosity: value,
};

/** Other spellings of a flag, by which executors and their documentation know it too. */
const aliases: Readonly<Record<string, string>> = {
  snapshotMode: "snapshot-mode",
  customPlatform: "custom-platform",
  customplatform: "custom-platform",
  tarPath: "tar-path",
  "whitelist-var-run": "ignore-var-run",
  b: "bucket",
  c: "context",
  d: "destination",
  f: "dockerfile",
  v: "verbosity",
};

/** The name by which the current executor knows a flag. */
export function canonicalFlag(name: string): string {
  return aliases[name] ?? name;
}

/** What a flag takes in this executor; undefined if it does not have it. */
export function flagKind(name: string, executor: Executor): FlagKind | undefined {
  const rule = Object.hasOwn(flagRules, name) ? flagRules[name] : undefined;
  if (rule === undefined) return undefined;
  if (rule.flavours !== undefined && !rule.flavours.includes(executor.flavour)) return undefined;
  return rule.since === undefined || isAtLeast(executor, rule.since) ? rule.kind : undefined;
}

/** The flags of an executor. */
export function flagNames(executor: Executor): readonly string[] {
  return Object.keys(flagRules).filter((name) => flagKind(name, executor) !== undefined);
}
