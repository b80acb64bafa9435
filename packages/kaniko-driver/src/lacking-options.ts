import type { BuildRequest, OptionIssue } from "@slipway/core";

import { firstWith, flagKind, oldestExecutor } from "./executor-flags.ts";
import { executorTitle, isAtLeast, type Executor } from "./executor-version.ts";
import type { FoldableOptions } from "./flag-options.ts";

/** What is asked of an executor: by the options of a driver, or by those of a build with the driver's. */
export type AskedOptions = FoldableOptions & Partial<Pick<BuildRequest, "context" | "outputs">>;

type Version = NonNullable<Executor["version"]>;
/** An option that is asked for, by its path, and the flag that it needs. */
type Need = readonly [path: string, flag: string];

/** The first release that knows the mode, and the first that pushes what it writes to an archive too. */
const firstWithRedo: Version = [0, 24, 0];
const firstWithArchivedPush: Version = [1, 6, 0];

/**
 * The options that this executor is too old for: what would be left out in silence, though somebody has asked for it. An option that asks for what the
 * executor does anyway is none of them.
 */
export function lackingOptions(options: AskedOptions, executor: Executor): readonly OptionIssue[] {
  const needs = options.allowUnknownFlags === true ? [] : [...ownNeeds(options), ...requestNeeds(options)];
  return [
    ...needs.flatMap(([path, flag]) =>
      flagKind(flag, executor) === undefined
        ? [tooOld(path, executor, `has no flag --${flag}`, firstWith(flag, executor))]
        : [],
    ),
    ...behaviour(options, executor),
  ];
}

function ownNeeds({ useNewRun, cache, registries, registryMirrors = [] }: AskedOptions): readonly Need[] {
  const { copyLayers, runLayers, compressed } = cache?.enabled === false ? {} : (cache ?? {});
  const certified = Object.entries(registries ?? {}).filter(([, { ca }]) => ca !== undefined);
  return [
    ...when(useNewRun === true, "useNewRun", "use-new-run"),
    // Whether layers of COPY are kept has changed before there was a flag.
    ...when(copyLayers !== undefined, "cache.copyLayers", "cache-copy-layers"),
    ...when(runLayers === false, "cache.runLayers", "cache-run-layers"),
    ...when(compressed === false, "cache.compressed", "compressed-caching"),
    ...certified.map(([host]): Need => [`registries["${host}"].ca`, "registry-certificate"]),
    ...when(registryMirrors.length > 0, "registryMirrors", "registry-mirror"),
  ];
}

function requestNeeds({ labels = {}, outputs = [], context }: AskedOptions): readonly Need[] {
  const git = context?.type === "git" ? context : undefined;
  return [
    ...when(Object.keys(labels).length > 0, "labels", "label"),
    ...when(
      outputs.some(({ type }) => type === "oci"),
      "outputs",
      "oci-layout-path",
    ),
    // A name that the executor finds out, or a commit: it learned both at once. A whole name it has always known.
    ...when(git?.ref !== undefined && !git.ref.startsWith("refs/"), "context.ref", "git"),
    ...when(git?.subdirectory !== undefined, "context.subdirectory", "context-sub-path"),
  ];
}

function when(isAsked: boolean, path: string, flag: string): readonly Need[] {
  return isAsked ? [[path, flag]] : [];
}

/** What no flag tells. */
function behaviour(options: AskedOptions, executor: Executor): readonly OptionIssue[] {
  const { snapshotMode, registryMirrors = [], outputs = [] } = options;
  const has = (type: string): boolean => outputs.some((output) => output.type === type);
  const issues: OptionIssue[] = [];
  if (!isAtLeast(executor, oldestExecutor))
    issues.push(tooOld("image", executor, "does not tell the digest of what it builds", oldestExecutor));
  if (snapshotMode === "redo" && !isAtLeast(executor, firstWithRedo))
    issues.push(tooOld("snapshotMode", executor, 'does not know "redo"', firstWithRedo));
  if (registryMirrors.length > 1 && flagKind("registry-mirror", executor) === "value")
    issues.push({
      path: "registryMirrors",
      message: `The executor (${executorTitle(executor)}) takes one mirror only`,
    });
  if (has("push") && has("docker") && !isAtLeast(executor, firstWithArchivedPush))
    issues.push(tooOld("outputs", executor, "does not push what it writes to a docker archive", firstWithArchivedPush));
  return issues;
}

function tooOld(path: string, executor: Executor, lack: string, first: Version | undefined): OptionIssue {
  const later = first === undefined ? "" : `use v${first.join(".")} or later`;
  const remedy = path === "image" ? later : ["leave this out", ...(later === "" ? [] : [later])].join(", or ");
  return { path, message: `The executor (${executorTitle(executor)}) ${lack}; ${remedy}` };
}
