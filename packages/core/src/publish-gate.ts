import { BuilderError } from "./builder-error.ts";
import type { PublishedImage, PublishOptions } from "./builder-maintenance.ts";
import { destinationFailures, failedAmong } from "./publish-failures.ts";
import type { DestinationOutcome } from "./publish-failures.ts";
import { describeThrown } from "./redaction.ts";

/** Turns whatever `beforeTag` throws into `PUBLISH_REFUSED`, whoever the driver is. */
export function withGate(options: PublishOptions): PublishOptions {
  const { beforeTag } = options;
  if (beforeTag === undefined) return options;
  return {
    ...options,
    beforeTag: async (image, call) => {
      try {
        await beforeTag(image, call);
      } catch (cause) {
        if (call.signal.aborted) throw cause;
        throw publishRefused(image.references[0] ?? image.digest, cause);
      }
    },
  };
}

/** A repository that is a destination, when all have the image or have failed, and no tag has moved. */
export interface GatedDestination extends DestinationOutcome {
  /** `registry/repository@digest` */
  readonly reference: string;
  /** Whether a tag of it will move, or one of cosign there. */
  readonly isMoving: boolean;
}

/** An image that is asked about. */
export interface GatedImage extends Pick<PublishedImage, "digest" | "platforms"> {
  readonly destinations: readonly GatedDestination[];
}

/**
 * Asks `beforeTag` about an image, for drivers that publish. Where no tag would move there is nothing to refuse, and nobody is asked.
 *
 * @throws `PUBLISH_REFUSED` if it throws; what it throws, or the signal's reason, once the signal has fired
 */
export async function askGate(
  beforeTag: PublishOptions["beforeTag"],
  { digest, platforms, destinations }: GatedImage,
  signal: AbortSignal,
): Promise<void> {
  const there = destinations.filter(({ error }) => error === undefined);
  const referencesOf = (isMoving: boolean): readonly string[] =>
    there.filter((destination) => destination.isMoving === isMoving).map(({ reference }) => reference);
  const references = referencesOf(true);
  const [first] = references;
  if (beforeTag === undefined || first === undefined) return;
  const failures = failedAmong(destinations);
  const failed = failures.map(({ reference, error: { code, message, retryable } }) => {
    return { reference, code, message, retryable };
  });
  try {
    await beforeTag({ digest, references, unchanged: referencesOf(false), failed, platforms }, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw publishRefused(first, error, destinationFailures(failures));
  }
  signal.throwIfAborted();
}

/**
 * The error for an image that `beforeTag` did not let through. What is one already, such as that of a builder's gate, keeps its words.
 *
 * @param thrown - What it threw.
 * @param failures - Of the destinations that have failed before, of which nobody would learn otherwise: the cause is then an `AggregateError`, where they
 * come after what was thrown.
 */
export function publishRefused(
  reference: string,
  thrown: unknown,
  failures: readonly Error[] = [],
): BuilderError<"PUBLISH_REFUSED"> {
  const refusal =
    BuilderError.isInstance(thrown) && thrown.code === "PUBLISH_REFUSED" ? thrown : refusalOf(reference, thrown);
  if (failures.length === 0) return refusal;
  const errors = [refusal.cause ?? refusal, ...failures];
  const cause = new AggregateError(errors, "beforeTag has refused, and destinations have failed.");
  const { code, message, details, retryable, driver } = refusal;
  return new BuilderError({ code, message, details, retryable, ...(driver === undefined ? {} : { driver }), cause });
}

function refusalOf(reference: string, cause: unknown): BuilderError<"PUBLISH_REFUSED"> {
  const reason = describeThrown(cause);
  return new BuilderError({
    code: "PUBLISH_REFUSED",
    message: `beforeTag did not let ${reference} through: ${reason}. The image is there under its digest; no tag of a destination has moved.`,
    details: { reference, reason },
    cause,
  });
}
