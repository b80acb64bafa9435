import { imageReferenceProblem, isTag, parseImageReference } from "../image-reference.ts";
import type { OptionChecks } from "../option-checks.ts";
import { callable, checkOptions, count, flag, limit, optional, required, someOf, text } from "../option-checks.ts";
import type { CopyImageOptions } from "./copy-options.ts";

const copyChecks: Omit<OptionChecks<CopyImageOptions>, "destinations"> = {
  source: required(text(imageReferenceProblem)),
  versionTag: optional(text((tag) => (isTag(tag) ? undefined : `${JSON.stringify(tag)} is no tag`))),
  platforms: optional(someOf(text(), "name at least one, or leave the option out")),
  referrers: optional(flag),
  dryRun: optional(flag),
  createRepository: optional(flag),
  beforeTag: optional(callable),
  connect: required(callable),
  onProgress: optional(callable),
  warn: optional(callable),
  concurrency: optional(limit),
  chunkBytes: optional(count),
};

/** Refuses options of a copy, which builders call publishing. @throws `INVALID_OPTIONS` with everything that is wrong */
export function checkCopyOptions(options: CopyImageOptions): void {
  const destination = text((name) => destinationProblem(name, options));
  const destinations = required(someOf(destination, "name at least one"));
  checkOptions("publishing", options, { ...copyChecks, destinations });
}

function destinationProblem(name: string, { versionTag }: CopyImageOptions): string | undefined {
  const problem = imageReferenceProblem(name);
  if (problem !== undefined) return problem;
  const { tag = versionTag, digest } = parseImageReference(name);
  if (digest !== undefined) return `${name} has a digest, which the source decides; write registry/repository:tag`;
  return tag === undefined ? `${name} has no tag, and there is no versionTag that it could get` : undefined;
}
