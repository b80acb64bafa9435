import { isAtLeast, type Executor, type ExecutorFlavour } from "./executor-version.ts";

/** What a flag takes: nothing but `true` and `false`, one value, or one at each of its occurrences. */
export type FlagKind = "boolean" | "value" | "list";

/** The first release that has something. */
type Since = NonNullable<Executor["version"]>;

interface FlagRule {
  readonly kind: FlagKind;
  /** @defaultValue every version that is supported */
  readonly since?: Since;
  /** What earlier releases call it, and since when. */
  readonly before?: { readonly name: string; readonly since?: Since };
  /** @defaultValue every flavour */
  readonly flavours?: readonly ExecutorFlavour[];
  /** Who takes more than one; the others take the last. @defaultValue every executor for a list, none for a value */
  readonly repeats?: { readonly since?: Since; readonly flavours?: readonly ExecutorFlavour[] };
}

const boolean: FlagRule = { kind: "boolean" };
const value: FlagRule = { kind: "value" };
const list: FlagRule = { kind: "list" };

/** The first release that leaves the digest of what it has built, without which no build is a success. */
export const oldestExecutor: Since = [0, 10, 0];

const forked: readonly ExecutorFlavour[] = ["osscontainertools", "chainguard"];
const maintained: readonly ExecutorFlavour[] = ["osscontainertools"];

/**
 * The flags of executors, without dashes. An executor that meets a flag it does not know ends at once, so flags are checked before a pod is made.
 * Source: cmd/executor/cmd/root.go of GoogleContainerTools at each of its release tags up to v1.24.0; osscontainertools v1.28.3; chainguard v1.25.16.
 */
const flagRules: Readonly<Record<string, FlagRule>> = {
  annotation: { ...list, flavours: forked },
  "build-arg": list,
  bucket: value,
  cache: boolean,
  "cache-copy-layers": { ...boolean, since: [1, 4, 0] },
  "cache-dir": value,
  "cache-repo": value,
  "cache-run-layers": { ...boolean, since: [1, 9, 0] },
  "cache-ttl": value,
  cleanup: boolean,
  "compressed-caching": { ...boolean, since: [1, 7, 0] },
  compression: { ...value, since: [1, 10, 0] },
  "compression-level": { ...value, since: [1, 10, 0] },
  context: value,
  "context-sub-path": { ...value, since: [0, 20, 0] },
  "credential-helpers": { ...list, flavours: maintained },
  "custom-platform": { ...value, since: [1, 9, 1], before: { name: "customPlatform", since: [1, 4, 0] } },
  destination: list,
  "digest-file": value,
  dockerfile: value,
  dryrun: { ...boolean, flavours: maintained },
  force: boolean,
  "force-build-metadata": { ...boolean, since: [1, 7, 0] },
  git: { ...value, since: [1, 0, 0] },
  "ignore-path": { ...list, since: [1, 6, 0] },
  "ignore-var-run": { ...boolean, since: [1, 7, 0], before: { name: "whitelist-var-run", since: [0, 17, 0] } },
  "image-download-retry": { ...value, since: [1, 19, 0] },
  "image-format": { ...value, flavours: maintained },
  "image-fs-extract-retry": { ...value, since: [1, 7, 0] },
  "image-name-tag-with-digest-file": { ...value, since: [1, 4, 0] },
  "image-name-with-digest-file": { ...value, since: [0, 14, 0] },
  insecure: boolean,
  "insecure-pull": boolean,
  "insecure-registry": list,
  "kaniko-dir": { ...value, since: [1, 8, 1] },
  label: { ...list, since: [0, 19, 0] },
  "log-format": { ...value, since: [0, 18, 0] },
  "log-timestamp": { ...boolean, since: [0, 20, 0] },
  materialize: { ...boolean, flavours: maintained },
  "no-push": boolean,
  "no-push-cache": { ...boolean, since: [1, 9, 0] },
  "oci-layout-path": { ...value, since: [0, 12, 0] },
  "pre-cleanup": { ...boolean, flavours: maintained },
  "preserve-context": { ...boolean, flavours: maintained },
  "push-ignore-immutable-tag-errors": { ...boolean, since: [1, 21, 0] },
  "push-retry": { ...value, since: [1, 5, 1] },
  "registry-certificate": { ...list, since: [0, 19, 0] },
  "registry-client-cert": { ...list, since: [1, 10, 0] },
  "registry-map": { ...list, since: [1, 21, 0] },
  "registry-mirror": { ...list, since: [0, 18, 0], repeats: { since: [1, 4, 0] } },
  reproducible: boolean,
  secret: { ...list, flavours: maintained },
  "single-snapshot": boolean,
  "skip-default-registry-fallback": { ...boolean, since: [1, 13, 0] },
  "skip-push-permission-check": { ...boolean, since: [1, 14, 0] },
  "skip-tls-verify": boolean,
  "skip-tls-verify-pull": boolean,
  "skip-tls-verify-registry": list,
  "skip-unused-stages": { ...boolean, since: [0, 20, 0] },
  "snapshot-mode": { ...value, since: [1, 9, 1], before: { name: "snapshotMode" } },
  "tar-path": { ...value, since: [1, 9, 1], before: { name: "tarPath" } },
  target: { ...list, repeats: { flavours: maintained } },
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
  return Object.hasOwn(aliases, name) ? (aliases[name] ?? name) : name;
}

/** How this executor spells a flag; undefined if it does not have it. */
export function flagName(name: string, executor: Executor): string | undefined {
  const rule = ruleOf(name);
  if (rule === undefined || !isOf(rule.flavours, executor)) return undefined;
  if (isSince(rule.since, executor)) return name;
  return rule.before !== undefined && isSince(rule.before.since, executor) ? rule.before.name : undefined;
}

/** What a flag takes in this executor; undefined if it does not have it. */
export function flagKind(name: string, executor: Executor): FlagKind | undefined {
  const rule = ruleOf(name);
  if (rule === undefined || flagName(name, executor) === undefined) return undefined;
  const { kind, repeats = {} } = rule;
  if (kind !== "list") return kind;
  return isSince(repeats.since, executor) && isOf(repeats.flavours, executor) ? "list" : "value";
}

/** The flags of an executor, as it spells them. */
export function flagNames(executor: Executor): readonly string[] {
  return Object.keys(flagRules).flatMap((name) => flagName(name, executor) ?? []);
}

/** The first release of an executor's flavour that has a flag; undefined if none has. */
export function firstWith(name: string, { flavour }: Executor): Since | undefined {
  const rule = ruleOf(name);
  if (rule === undefined || !isOf(rule.flavours, { flavour })) return undefined;
  return rule.before === undefined ? (rule.since ?? oldestExecutor) : (rule.before.since ?? oldestExecutor);
}

function ruleOf(name: string): FlagRule | undefined {
  return Object.hasOwn(flagRules, name) ? flagRules[name] : undefined;
}

function isSince(since: Since | undefined, executor: Executor): boolean {
  return since === undefined || isAtLeast(executor, since);
}

function isOf(flavours: readonly ExecutorFlavour[] | undefined, { flavour }: Pick<Executor, "flavour">): boolean {
  return flavours === undefined || flavours.includes(flavour);
}
