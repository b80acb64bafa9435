import type { BuildRecord } from "./build-record.ts";
import type { BuildResult, BuiltImage } from "./build-result.ts";
import { BuilderError } from "./builder-error.ts";
import type { DriverBuildResult } from "./builder-driver.ts";
import { repositoryOf } from "./image-reference.ts";
import type { Output } from "./output.ts";

/** What a result is made of, beside what the driver returned. */
export interface CompletionInput {
  readonly buildId: string;
  readonly driver: string;
  /** Unknown for a build of another process. */
  readonly outputs?: readonly Output[];
  readonly tags: readonly string[];
  readonly platforms: readonly string[];
  readonly record: BuildRecord;
  readonly queuedMs: number;
  readonly durationMs: number;
  /** The image was there already. */
  readonly skipped?: boolean;
}

/**
 * Completes what a driver returned to the result of a build.
 * @throws `INTERNAL` naming the driver, if an output is an image and there is no digest, or one that is none.
 */
export function completeResult(returned: DriverBuildResult, input: CompletionInput): BuildResult {
  const image = completeImage(returned, input);
  return {
    buildId: input.buildId,
    ...(image === undefined ? {} : { image }),
    ...(input.skipped === true ? { skipped: true } : {}),
    ...input.record.summary(),
    queuedMs: input.queuedMs,
    durationMs: input.durationMs,
    metadata: returned.metadata ?? {},
  };
}

function completeImage(
  { digest, reference, platforms }: DriverBuildResult,
  input: CompletionInput,
): BuiltImage | undefined {
  const { outputs, driver, tags } = input;
  if (outputs !== undefined && !outputs.some(isImage)) return undefined;
  if (digest === undefined && outputs === undefined) return undefined;
  if (digest === undefined) throw driverDefect(driver, "reported success without the digest of the image");
  if (!/^[a-z\d]+:[a-f\d]{32,}$/.test(digest))
    throw driverDefect(driver, `reported the digest ${JSON.stringify(digest)}, which is none`);
  return {
    digest,
    reference: reference ?? builtReference(digest, outputs, tags),
    tags:
      outputs?.filter(isImage).every((output) => output.type === "push" && output.byDigest === true) === true
        ? []
        : tags,
    platforms: platforms ?? input.platforms.slice(0, 1).map((platform) => ({ platform, digest })),
  };
}

function isImage(output: Output): boolean {
  return output.type === "push" || output.type === "oci" || output.type === "docker";
}

/** `repository@digest` of what was pushed; of anything else the digest is all there is. */
function builtReference(digest: string, outputs: readonly Output[] | undefined, tags: readonly string[]): string {
  const pushed = outputs?.some((output) => output.type === "push") ?? true;
  const [tag] = tags;
  return pushed && tag !== undefined ? `${repositoryOf(tag)}@${digest}` : digest;
}

function driverDefect(driver: string, what: string): BuilderError<"INTERNAL"> {
  const thrown = `The driver "${driver}" ${what}`;
  return new BuilderError({
    code: "INTERNAL",
    message: `${thrown}. This is a defect of the driver; please report it.`,
    details: { thrown },
    driver,
  });
}
