import type { KanikoBuildOptions, KanikoCache, KanikoDriverOptions, RegistryAccess } from "./kaniko-options.ts";

/** The options that a flag of the executor can stand for: of a build, of the driver, and what only kaniko knows. */
export interface FoldableOptions
  extends
    KanikoBuildOptions,
    Pick<KanikoDriverOptions, "insecure" | "skipTlsVerify" | "registryMirrors" | "registries"> {
  readonly target?: string | undefined;
  readonly buildArgs?: Readonly<Record<string, string>> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly platforms?: readonly string[] | undefined;
}

type Direction = "push" | "pull";
/** What a flag makes of the options; undefined if no option stands for such a value. */
type Setter = (value: string, options: FoldableOptions) => FoldableOptions | undefined;

/** Which option a flag stands for. */
const setters: Readonly<Record<string, Setter>> = {
  ...booleans(["use-new-run", "single-snapshot", "reproducible", "cleanup"], (name, value) => ({
    [camelCase(name)]: value,
  })),
  cache: (value, options) => withCache(options, { enabled: isTrue(value) }),
  "cache-repo": (value, options) => withCache(options, { repository: value }),
  "cache-ttl": (value, options) => withCache(options, { ttl: value }),
  "cache-copy-layers": (value, options) => withCache(options, { copyLayers: isTrue(value) }),
  "cache-run-layers": (value, options) => withCache(options, { runLayers: isTrue(value) }),
  "cache-dir": (value, options) => withCache(options, { directory: value }),
  "compressed-caching": (value, options) => withCache(options, { compressed: isTrue(value) }),
  "snapshot-mode": (value) => ({ snapshotMode: value as NonNullable<KanikoBuildOptions["snapshotMode"]> }),
  verbosity: (value) => ({ verbosity: value as NonNullable<KanikoBuildOptions["verbosity"]> }),
  target: (value) => ({ target: value }),
  "custom-platform": (value) => ({ platforms: [value] }),
  "build-arg": (value, { buildArgs }) => withEntry(value, (entry) => ({ buildArgs: { ...buildArgs, ...entry } })),
  label: (value, { labels }) => withEntry(value, (entry) => ({ labels: { ...labels, ...entry } })),
  insecure: (value, { insecure }) => ({ insecure: directed(insecure, "push", isTrue(value)) }),
  "insecure-pull": (value, { insecure }) => ({ insecure: directed(insecure, "pull", isTrue(value)) }),
  "skip-tls-verify": (value, { skipTlsVerify }) => ({ skipTlsVerify: directed(skipTlsVerify, "push", isTrue(value)) }),
  "skip-tls-verify-pull": (value, { skipTlsVerify }) => ({
    skipTlsVerify: directed(skipTlsVerify, "pull", isTrue(value)),
  }),
  "insecure-registry": (value, options) => withRegistry(options, value, { http: true }),
  "skip-tls-verify-registry": (value, options) => withRegistry(options, value, { insecure: true }),
  "registry-mirror": (value, { registryMirrors = [] }) => ({
    registryMirrors: [...registryMirrors.filter((mirror) => mirror !== value), value],
  }),
};

/** What a flag changes about the options that are folded so far; undefined if no option stands for it. */
export function flagChange(name: string, value: string, options: FoldableOptions): FoldableOptions | undefined {
  return Object.hasOwn(setters, name) ? setters[name]?.(value, options) : undefined;
}

/** Where a change contradicts what was given: the names of the options, with what they were. */
export function contradictions(
  given: FoldableOptions,
  change: FoldableOptions,
): readonly (readonly [string, unknown])[] {
  const before = flattened(given);
  const changed = Object.entries(flattened(change)).flatMap(([name, value]) => {
    const old = before[name];
    return old === undefined || JSON.stringify(old) === JSON.stringify(value) ? [] : [[name, old] as const];
  });
  // What is off by default is nobody's wish, but to switch off what was switched on contradicts it.
  const revoked = (["insecure", "skipTlsVerify"] as const).flatMap((name) => {
    const left = change[name] === undefined ? undefined : directionsOf(change[name]);
    const isRevoked = left !== undefined && directionsOf(given[name]).some((direction) => !left.includes(direction));
    return isRevoked ? [[name, given[name]] as const] : [];
  });
  return [...changed, ...revoked];
}

/** Each value under the name by which a warning calls it. What only ever grows contradicts nothing. */
function flattened(options: FoldableOptions): Readonly<Record<string, unknown>> {
  const { cache, buildArgs, labels, registries, platforms } = options;
  const { snapshotMode, useNewRun, singleSnapshot, reproducible, cleanup, verbosity, target } = options;
  return Object.fromEntries(
    Object.entries({
      ...{ snapshotMode, useNewRun, singleSnapshot, reproducible, cleanup, verbosity, target },
      ...prefixed("cache", cache),
      ...prefixed("buildArgs", buildArgs),
      ...prefixed("labels", labels),
      ...Object.fromEntries(
        Object.entries(registries ?? {}).flatMap(([host, access]) =>
          Object.entries(prefixed(`registries["${host}"]`, access)),
        ),
      ),
      ...(platforms === undefined || platforms.length === 0 ? {} : { platforms }),
    }).filter(([, value]) => value !== undefined),
  );
}

function prefixed(name: string, values: object | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values ?? {}).map(([key, value]) => [`${name}.${key}`, value as unknown]));
}

function directionsOf(where: KanikoDriverOptions["insecure"]): readonly Direction[] {
  if (where === true) return ["push", "pull"];
  return where === undefined || where === false ? [] : where;
}

function directed(where: KanikoDriverOptions["insecure"], direction: Direction, isOn: boolean): readonly Direction[] {
  const others = directionsOf(where).filter((known) => known !== direction);
  return isOn ? [...others, direction] : others;
}

function withCache({ cache }: FoldableOptions, part: KanikoCache): FoldableOptions {
  return { cache: { ...cache, ...part } };
}

function withRegistry({ registries }: FoldableOptions, host: string, access: RegistryAccess): FoldableOptions {
  return { registries: { ...registries, [host]: { ...registries?.[host], ...access } } };
}

/** A name without a value is taken from the executor's environment, which no option does. */
function withEntry(
  value: string,
  change: (entry: Readonly<Record<string, string>>) => FoldableOptions,
): FoldableOptions | undefined {
  const end = value.indexOf("=");
  return end < 1 ? undefined : change({ [value.slice(0, end)]: value.slice(end + 1) });
}

function booleans(
  names: readonly string[],
  change: (name: string, value: boolean) => FoldableOptions,
): Readonly<Record<string, Setter>> {
  return Object.fromEntries(names.map((name) => [name, (value: string) => change(name, isTrue(value))]));
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_match, letter: string) => letter.toUpperCase());
}

/** As Go reads a flag's value. */
export function isTrue(value: string): boolean {
  return /^(1|t|true)$/i.test(value);
}
