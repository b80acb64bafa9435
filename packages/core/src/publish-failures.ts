import type { AnyBuilderError } from "./builder-error.ts";
import { BuilderError } from "./builder-error.ts";

/** A destination of an image, by all the names that it was given, and why it did not get the image. */
export interface FailedDestination {
  readonly names: readonly string[];
  readonly error: AnyBuilderError;
}

/** A destination of an image, by all the names that it was given, and why it did not get the image, if it did not. */
export interface DestinationOutcome {
  readonly names: readonly string[];
  readonly error?: AnyBuilderError | undefined;
}

/** Those that have failed. */
export function failedAmong<Outcome extends DestinationOutcome>(
  destinations: readonly Outcome[],
): readonly (Outcome & FailedDestination)[] {
  return destinations.flatMap((destination) => {
    const { error } = destination;
    return error === undefined ? [] : [{ ...destination, error }];
  });
}

/** The errors of destinations, whose messages begin with the destination. */
export function destinationFailures(failed: readonly FailedDestination[]): readonly AnyBuilderError[] {
  return failed.map(({ names, error }) =>
    BuilderError.from({ ...error.toJSON(), message: `${names.join(", ")}: ${error.message}`, cause: error }),
  );
}

/**
 * The error for an image that not all destinations got. It is about the first failure that another attempt does not mend, since that one has to be seen
 * to; without such a one it is about the first, and retryable. Its cause has the failure of each destination.
 *
 * @returns `undefined` if none has failed
 */
export function publishFailed(
  source: string,
  destinations: readonly DestinationOutcome[],
): AnyBuilderError | undefined {
  const failed = failedAmong(destinations);
  const decisive = (failed.find(({ error }) => !error.retryable) ?? failed[0])?.error;
  if (decisive === undefined) return undefined;
  const named = destinationFailures(failed);
  const done = destinations.filter(({ error }) => error === undefined).flatMap(({ names }) => names);
  const rest = done.length === 0 ? "" : ` It is at ${done.join(", ")}.`;
  const message = `Cannot publish ${source} to ${named.map((error) => error.message).join(" ")}${rest}`;
  const cause = named.length === 1 ? decisive : new AggregateError(named, `${named.length} destinations have failed.`);
  const { code, details, retryable } = decisive;
  return BuilderError.from({ code, message, details, retryable, cause });
}
