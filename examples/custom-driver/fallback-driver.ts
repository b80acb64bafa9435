import { BuilderError, type BuilderDriver } from "slipway";

// #region fallback
/** Builds with the first driver, and with the second one if the infrastructure of the first is at fault. */
export function fallbackDriver(first: BuilderDriver, second: BuilderDriver) {
  return {
    specificationVersion: "v1",
    name: `${first.name}, else ${second.name}`,
    // Only what both can: the build may end up with either. `skipIfPresent` takes methods that this one does without.
    features: first.features.filter((feature) => feature !== "skipIfPresent" && second.features.includes(feature)),
    async build(request, call) {
      try {
        return await first.build(request, call);
      } catch (thrown) {
        const error = BuilderError.from(thrown);
        if (!error.retryable || call.signal.aborted) throw error;
        call.emit({ type: "build-retry", attempt: 2, error: error.toJSON() });
        return second.build(request, call);
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([first[Symbol.asyncDispose]?.(), second[Symbol.asyncDispose]?.()]);
    },
  } satisfies BuilderDriver;
}
// #endregion fallback
