import { dockerignoreNames, readDockerignore } from "@slipway/context-sync";
import type { BuildRequest } from "@slipway/core";

/** A folder that is a context, and what of it is none. */
export interface ContextFolder {
  readonly root: string;
  readonly exclude: readonly string[];
}

/**
 * The folder of a build, without what its `.dockerignore` leaves out: the Dockerfile's own, else the context's.
 *
 * @throws BuilderError CONTEXT_INVALID if that cannot be read: what it leaves out must not travel
 */
export function contextFolder({
  context,
  dockerfile,
  dockerfileInline,
}: Pick<BuildRequest, "context" | "dockerfile" | "dockerfileInline">): ContextFolder {
  const root = context.type === "directory" ? context.path : ".";
  const names = dockerignoreNames(dockerfileInline === undefined ? dockerfile : undefined);
  return { root, exclude: readDockerignore(root, names) };
}
