import { posix } from "node:path";

import { parseDockerignore } from "@slipway/context-sync";

import type { FileFilter } from "./file-source.ts";

/** What decides which files BuildKit wants to see. */
export interface ContextFiles {
  readonly dockerfile: string;
  /** Of the Dockerfile, or of the context. */
  readonly dockerignore: string;
}

/**
 * What BuildKit's Dockerfile frontend will ask to see of the context, as far as that can be told without expanding variables; undefined
 * if it cannot, or if it is nothing. A wrong answer costs time and nothing else.
 */
export function expectedFilter({ dockerfile, dockerignore }: ContextFiles): FileFilter | undefined {
  if (/^#\s*escape\s*=/im.test(dockerfile)) return undefined;
  const instructions = dockerfile
    .replaceAll(/^\s*#.*$/gm, "")
    .replaceAll(/\\[ \t]*\r?\n/g, " ")
    .split("\n");
  const paths = instructions.flatMap(contextPaths);
  if (paths.length === 0 || paths.includes(undefined)) return undefined;
  const unique = [...new Set(paths)].filter((path) => path !== undefined);
  const followPaths = unique.includes("/") ? [] : unique.map((path) => path.slice(1)).sort();
  return { include: [], exclude: parseDockerignore(dockerignore), followPaths };
}

/** What an instruction takes from the context, from its root on; undefined for what cannot be told. */
function contextPaths(instruction: string): (string | undefined)[] {
  if (/^\s*RUN\s.*--mount=/i.test(instruction)) return /--mount=\S*type=bind/.test(instruction) ? [undefined] : [];
  const [, operands] = /^\s*(?:COPY|ADD)\s+(.*)$/i.exec(instruction) ?? [];
  if (operands === undefined || /(?:^|\s)--from=/.test(operands)) return [];
  const words = operands.replace(/^(?:--\S+\s+)+/, "").trim();
  if (/[$"'\\]|<</.test(words)) return [undefined];
  const sources = words.split(/\s+/).slice(0, -1);
  // Other remote sources are rare, and then the answer is only wrong.
  return sources.filter((source) => !/^https?:\/\//.test(source)).map((source) => posix.join("/", source));
}
