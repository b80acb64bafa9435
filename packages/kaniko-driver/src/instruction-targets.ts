import { posix } from "node:path";

import { expandVariables } from "@slipway/registry-client";

/** By name; one that is undefined is set to what is not known here. */
type Values = Readonly<Record<string, string | undefined>>;

/** What the instructions so far have made of a stage. */
interface Stage {
  /** Undefined if it depends on what is not known here. */
  readonly workdir: string | undefined;
  readonly args: Values;
  readonly env: Values;
}

/** What an `ARG` may get its value from. */
interface ArgumentSources {
  /** For defaults. */
  readonly values: Values;
  readonly buildArgs: Values;
  /** Of the `ARG`s before the first stage, which count where they are declared again. */
  readonly globals: Values;
}

const emptyStage: Stage = { workdir: "/", args: {}, env: {} };

/**
 * What `WORKDIR`, `COPY` and `ADD` of a Dockerfile write to, as absolute paths; a relative one is below the `WORKDIR` so far. What depends on a value that
 * only the build will know, such as one of a base image, is left out.
 */
export function instructionTargets(dockerfile: string, buildArgs: Values): readonly string[] {
  const targets = new Set<string>();
  const stages = new Map<string, Stage>();
  let globals: Values = {};
  let stage: Stage | undefined;
  let name: string | undefined;
  for (const [instruction, rest] of instructions(dockerfile)) {
    if (instruction === "FROM") {
      const [base = "", , alias] = rest.split(/\s+/).filter((word) => !word.startsWith("--"));
      stage = stages.get(expanded(base, globals)?.toLowerCase() ?? "") ?? emptyStage;
      name = alias?.toLowerCase();
    } else if (stage === undefined) {
      const declared = instruction === "ARG" ? argumentValues(rest, { values: globals, buildArgs, globals: {} }) : {};
      globals = { ...globals, ...declared };
      continue;
    } else if (instruction === "ARG") {
      const declared = argumentValues(rest, { values: valuesOf(stage), buildArgs, globals });
      stage = { ...stage, args: { ...stage.args, ...declared } };
    } else if (instruction === "ENV") {
      stage = { ...stage, env: { ...stage.env, ...environment(rest, valuesOf(stage)) } };
    } else {
      const target = targetOf(instruction === "WORKDIR" ? rest : lastWord(rest), stage);
      if (target !== undefined) targets.add(target);
      if (instruction === "WORKDIR") stage = { ...stage, workdir: target };
    }
    if (name !== undefined) stages.set(name, stage);
  }
  return [...targets];
}

/** Those that matter here, with the rest of their lines. */
function instructions(dockerfile: string): readonly (readonly [instruction: string, rest: string])[] {
  const lines = dockerfile
    .replace(/^[ \t]*#.*(?:\n|$)/gm, "")
    .replace(/\\[ \t]*\r?\n/g, "")
    .split(/\r?\n/);
  return lines.flatMap((line) => {
    const [, instruction, rest = ""] = /^\s*(FROM|WORKDIR|COPY|ADD|ARG|ENV)\s+(.*)$/i.exec(line) ?? [];
    return instruction === undefined ? [] : [[instruction.toUpperCase(), rest.trim()] as const];
  });
}

/** `ENV` goes before `ARG`, wherever they stand. */
function valuesOf({ args, env }: Stage): Values {
  return { ...args, ...env };
}

function targetOf(written: string, stage: Stage): string | undefined {
  const path = expanded(written, valuesOf(stage));
  if (path === undefined || (stage.workdir === undefined && !path.startsWith("/"))) return undefined;
  return posix.resolve(stage.workdir ?? "/", path);
}

/** Of the words in either form, a list in JSON or words with spaces between them. */
function lastWord(rest: string): string {
  const [list] = /\[.*\]$/.exec(rest) ?? [];
  if (list === undefined) return rest.split(/\s+/).at(-1) ?? "";
  const [, last] = /"([^"]*)"\s*\]$/.exec(list) ?? [];
  return last ?? rest.split(/\s+/).at(-1) ?? "";
}

function argumentValues(rest: string, { values, buildArgs, globals }: ArgumentSources): Values {
  const declared = assignments(rest).flatMap(([name, written]) => {
    if (Object.hasOwn(buildArgs, name)) return [[name, buildArgs[name]] as const];
    if (written !== undefined) return [[name, expanded(written, values)] as const];
    return Object.hasOwn(globals, name) ? [[name, globals[name]] as const] : [];
  });
  return Object.fromEntries(declared);
}

function environment(rest: string, values: Values): Values {
  const [, name, value = ""] = /^([^\s=]+)\s+(.*)$/.exec(rest) ?? [];
  const pairs = name === undefined ? assignments(rest) : [[name, value] as const];
  return Object.fromEntries(pairs.map(([key, written = ""]) => [key, expanded(written, values)]));
}

const assignment = /([\w.-]+)(?:=((?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])*))?/g;

/** `name` and `name=value`, of which a line may have several. */
function assignments(rest: string): readonly (readonly [name: string, value: string | undefined])[] {
  return [...rest.matchAll(assignment)].map(([, name = "", value]) => [name, value] as const);
}

/** Without its quotes; undefined if it is not known here. */
function expanded(written: string, values: Values): string | undefined {
  const text = expandVariables(written, values);
  return text === undefined || /[$\\]/.test(text) ? undefined : text.replace(/["']/g, "");
}
