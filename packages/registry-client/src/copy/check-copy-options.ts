import { imageReferenceProblem } from "../image-reference.ts";
import type { OptionChecks } from "../option-checks.ts";
import { callable, checkOptions, count, flag, limit, listOf, optional, required, text } from "../option-checks.ts";
import type { CopyImageOptions } from "./copy-options.ts";

const copyChecks: OptionChecks<CopyImageOptions> = {
  source: required(text(imageReferenceProblem)),
  destinations: required(listOf(text(imageReferenceProblem))),
  versionTag: optional(text()),
  platforms: optional(listOf(text())),
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

/** Refuses options of a copy, which builders call publishing, by their keys and types; {@link parseCopyOptions} reads what they say. @throws `INVALID_OPTIONS` with everything that is wrong */
export function checkCopyOptions(options: CopyImageOptions): void {
  checkOptions("publishing", options, copyChecks);
}
