import { BuilderError, type DriverEvent } from "@slipway/core";

import type { BuildPlan, FoldedBuild } from "./build-plan.ts";
import { flagName } from "./executor-flags.ts";

/** What the registry of a cache has said, with what to do about it: nobody expects a repository beside the image. */
export function refusedCache({ code, message, details, retryable, cause }: BuilderError): BuilderError {
  const remedy =
    "This is the build's cache: name another kaniko.cache.repository, or set kaniko.cache.enabled to false.";
  return new BuilderError({ code, message: `${message} ${remedy}`, details, retryable, cause });
}

/** That a build goes on, and keeps no layers. */
export function withoutCache({ message }: BuilderError): DriverEvent {
  return { type: "warning", message: `The build goes on, and its layers are not kept for later ones: ${message}` };
}

/** The plan of a build that pushes nothing to its cache; an executor that cannot leave that alone has no cache. */
export function withoutCachePush(plan: BuildPlan, { executor }: Pick<FoldedBuild, "executor">): BuildPlan {
  const flag = flagName("no-push-cache", executor);
  if (flag !== undefined) return { ...plan, arguments: [...plan.arguments, `--${flag}=true`] };
  const others = plan.arguments.filter((argument) => !/^--cache(?:-[a-z-]+)?=/.test(argument));
  return { ...plan, arguments: [...others, "--cache=false"] };
}
