import { invalidOptions, type BuildRequest } from "@slipway/core";

import { contextMountPath, dockerfileName, filesFolder } from "./executor-arguments.ts";

/** What an executor is told of a context. */
export interface ContextArguments {
  readonly arguments: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

type GitContext = Extract<BuildRequest["context"], { type: "git" }>;

/**
 * Where the executor finds the context and the Dockerfile: what this process has comes through stdin or is mounted, a git repository is cloned by the executor
 * itself, and only then is the Dockerfile read there.
 *
 * @throws BuilderError INVALID_OPTIONS for a repository that the executor cannot reach
 */
export function contextArguments(
  { context, dockerfile, dockerfileInline }: BuildRequest,
  isMounted = false,
): ContextArguments {
  const own = `--dockerfile=${filesFolder}/${dockerfileName}`;
  if (isMounted) return { arguments: [`--context=dir://${contextMountPath}`, own], env: {} };
  if (context.type !== "git") return { arguments: ["--context=tar://stdin", own], env: {} };
  const { url, env } = executorUrl(context);
  const { ref, subdirectory } = context;
  return {
    arguments: [
      `--context=${url}${fragmentOf(ref)}`,
      // A branch or a tag, which the executor finds out.
      ...(ref === undefined || fragmentOf(ref) !== "" ? [] : [`--git=branch=${ref}`]),
      ...(subdirectory === undefined ? [] : [`--context-sub-path=${subdirectory}`]),
      dockerfileInline === undefined ? `--dockerfile=${dockerfile}` : own,
    ],
    env,
  };
}

/** A commit is checked out of all branches: few servers let a client ask for one by itself. */
function fragmentOf(ref: string | undefined): string {
  if (ref?.startsWith("refs/") === true) return `#${ref}`;
  return ref !== undefined && /^[a-f\d]{40}$/.test(ref) ? `##${ref}` : "";
}

/** Executors write `git://` for a repository that they clone by HTTPS; plain HTTP is a variable of theirs. They have no SSH client. */
function executorUrl({ url }: GitContext): { url: string; env: Readonly<Record<string, string>> } {
  const [, scheme = "", credentials, rest = ""] = /^(https?|git):\/\/([^/@]*@)?(.*)$/i.exec(url) ?? [];
  if (credentials !== undefined)
    throw refused("its credentials would be seen by everybody who may read pods; give GIT_TOKEN in envFrom");
  if (scheme === "")
    throw refused(
      "kaniko clones by HTTPS only, not by SSH; give an https:// address, and GIT_TOKEN in envFrom if it is private",
    );
  const env: Record<string, string> = scheme.toLowerCase() === "http" ? { GIT_PULL_METHOD: "http" } : {};
  return { url: `git://${rest}`, env };
}

function refused(reason: string): Error {
  return invalidOptions("build", [{ path: "context", message: `This repository cannot be a context: ${reason}` }]);
}
