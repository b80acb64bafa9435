import { realpathSync, statSync } from "node:fs";

import { contextInvalid, systemErrorCode } from "./context-invalid.ts";

/**
 * The directory of a context with its own links resolved.
 *
 * @throws `CONTEXT_INVALID` if it is missing, unreadable or no directory.
 */
export function resolveRoot(root: string): string {
  const resolved = attempt(root, () => realpathSync(root));
  if (!attempt(root, () => statSync(resolved)).isDirectory()) {
    throw contextInvalid(
      root,
      `The build context ${root} is not a directory. Name the directory that holds the files to build from.`,
    );
  }
  return resolved;
}

function attempt<Value>(root: string, action: () => Value): Value {
  try {
    return action();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw contextInvalid(
        root,
        `The build context ${root} does not exist. Check the path and the working directory.`,
        error,
      );
    }
    throw contextInvalid(
      root,
      `The build context ${root} cannot be read (${code ?? "unknown error"}). Check its permissions.`,
      error,
    );
  }
}
