import { BuilderError } from "@slipway/core";
import type { AnyBuilderError } from "@slipway/core";

import type { FakeDestination } from "./fake-publish-plan.ts";

/** Why destinations did not get an image. */
export type FakeFailures = ReadonlyMap<FakeDestination, AnyBuilderError>;

/**
 * The error for an image that not all destinations got, as real drivers make it: about the first failure that another attempt does not mend, else about the
 * first; retryable only if all are. Its cause has the failure of each destination.
 */
export function destinationsError(
  source: string,
  destinations: readonly FakeDestination[],
  failures: FakeFailures,
): AnyBuilderError | undefined {
  const failed = destinations.flatMap((destination) => {
    const error = failures.get(destination);
    return error === undefined ? [] : [{ error, named: namedError(destination.names, error) }];
  });
  const decisive = (failed.find(({ error }) => !error.retryable) ?? failed[0])?.error;
  if (decisive === undefined) return undefined;
  const done = destinations.filter((destination) => !failures.has(destination)).flatMap(({ names }) => names);
  const rest = done.length === 0 ? "" : ` It is at ${done.join(", ")}.`;
  const errors = failed.map(({ named }) => named);
  const message = `Cannot publish ${source} to ${errors.map((error) => error.message).join(" ")}${rest}`;
  const cause =
    errors.length === 1 ? decisive : new AggregateError(errors, `${errors.length} destinations have failed.`);
  const { code, details, retryable } = decisive;
  return BuilderError.from({ code, message, details, retryable, cause });
}

function namedError(names: readonly string[], error: AnyBuilderError): AnyBuilderError {
  return BuilderError.from({ ...error.toJSON(), message: `${names.join(", ")}: ${error.message}`, cause: error });
}
