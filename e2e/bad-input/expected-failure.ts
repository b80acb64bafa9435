import { BuilderError, type BuilderErrorCode, type BuilderErrorDetails, type BuildResult } from "slipway";
import { expect } from "vitest";

/** What an error has to say about a bad input. */
export interface ExpectedFailure {
  readonly code: BuilderErrorCode;
  /** In the message: what happened, and what to do about it. */
  readonly message: readonly RegExp[];
  readonly details?: Partial<BuilderErrorDetails[BuilderErrorCode]> & object;
}

/** Runs what must fail, checks how, and reports how long the answer took. */
export async function expectFailure(
  title: string,
  action: () => Promise<unknown>,
  { code, message, details }: ExpectedFailure,
): Promise<BuilderError> {
  const startedMs = performance.now();
  const error: unknown = await action().then(
    (result) => new Error(`succeeded: ${JSON.stringify(result as BuildResult)}`),
    (reason: unknown) => reason,
  );
  const text = error instanceof Error ? error.message : String(error);
  console.log(`${title}: ${Math.round(performance.now() - startedMs)} ms: ${code}: ${text}`);
  expect(error).toMatchObject({ code, ...(details === undefined ? {} : { details }) });
  for (const pattern of message) expect(text).toMatch(pattern);
  if (!BuilderError.isInstance(error)) throw new Error("not a BuilderError");
  return error;
}
