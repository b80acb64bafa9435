import type { BuildOptions, FoldedOptions } from "@slipway/core";

import type { Executor } from "./executor-version.ts";
import { isTrue } from "./flag-options.ts";
import { readFlags } from "./read-flags.ts";

type Change = Readonly<Partial<BuildOptions>>;
type Outputs = NonNullable<BuildOptions["outputs"]>;

/** The flags that stand for an option of every builder on which more than the executor depends, and what each makes of it. */
const changes: Readonly<Record<string, (value: string, options: BuildOptions) => Change>> = {
  dockerfile: (dockerfile) => ({ dockerfile, dockerfileInline: undefined }),
  destination: (tag, { tags }) => ({ tags: [...new Set([...arrayOf(tags), tag])] }),
  "no-push": (value, { outputs = [{ type: "push" }] }) => ({ outputs: withPush(arrayOf(outputs), !isTrue(value)) }),
};

/** Whether {@link foldAsked} takes a flag. */
export function isAskedFlag(name: string): boolean {
  return Object.hasOwn(changes, name);
}

/** Reads flags as the tags, the Dockerfile and the outputs of a build. A flag wins over its option; where they contradict each other, that is a warning. */
export function foldAsked(given: BuildOptions, args: readonly string[], executor: Executor): Required<FoldedOptions> {
  const warnings: string[] = [];
  let options = given;
  // What is wrong with a flag is said where all of them are read.
  for (const { name, value } of readFlags({ args }, executor, [])) {
    const change = Object.hasOwn(changes, name) ? changes[name]?.(value, options) : undefined;
    if (change === undefined) continue;
    for (const [option, old] of contradicted(given, change))
      warnings.push(`--${name}=${value} in args contradicts the option ${option}, which is ${old}; the flag wins.`);
    options = { ...options, ...change };
  }
  return { options, warnings };
}

/** What the caller has written and a change gives up, as text. More tags give up none. */
function contradicted(given: BuildOptions, change: Change): readonly (readonly [option: string, old: string])[] {
  const { dockerfile, dockerfileInline, outputs } = given;
  const isOther = change.dockerfile !== undefined && dockerfile !== undefined && dockerfile !== change.dockerfile;
  const typesOf = (all: Outputs): string => JSON.stringify(all.map(({ type }) => type));
  const before = outputs === undefined ? undefined : typesOf(arrayOf(outputs));
  return [
    ...(isOther ? [["dockerfile", JSON.stringify(dockerfile)] as const] : []),
    ...(change.dockerfile !== undefined && dockerfileInline !== undefined
      ? [["dockerfileInline", "a text"] as const]
      : []),
    ...(change.outputs !== undefined && before !== undefined && typesOf(change.outputs) !== before
      ? [["outputs", before] as const]
      : []),
  ];
}

function withPush(outputs: Outputs, isPushed: boolean): Outputs {
  if (isPushed && outputs.some(({ type }) => type === "push")) return outputs;
  if (isPushed) return [{ type: "push" }, ...outputs.filter(({ type }) => type !== "cache-only")];
  const rest = outputs.filter(({ type }) => type !== "push");
  return rest.length > 0 ? rest : [{ type: "cache-only" }];
}

/** What is no list is refused by its schema. */
function arrayOf<Item>(value: readonly Item[] | undefined): readonly Item[] {
  return Array.isArray(value) ? (value as readonly Item[]) : [];
}
