import { BuilderError } from "./builder-error.ts";
import type { PublishOptions } from "./builder-maintenance.ts";
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

/**
 * The error for an image that `beforeTag` did not let through.
 *
 * @param thrown - What it threw.
 * @param failures - Of the destinations that have failed before: they come after `thrown` in the `AggregateError` that is then the cause.
 */
export function publishRefused(
  reference: string,
  thrown: unknown,
  failures: readonly Error[] = [],
): BuilderError<"PUBLISH_REFUSED"> {
  const reason = describeThrown(thrown);
  return new BuilderError({
    code: "PUBLISH_REFUSED",
    message: `beforeTag did not let ${reference} through: ${reason}. The image is there under its digest; no tag of a destination has moved.`,
    details: { reference, reason },
    cause: failures.length === 0 ? thrown : joinRefusal(thrown, failures),
  });
}

/** What `beforeTag` threw, and the failures of destinations, which nobody would learn of otherwise. */
export function joinRefusal(thrown: unknown, failures: readonly Error[]): AggregateError {
  return new AggregateError([thrown, ...failures], "beforeTag has refused, and destinations have failed.");
}
