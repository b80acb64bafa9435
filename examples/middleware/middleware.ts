import { BuilderError, type DriverMiddleware } from "slipway";

// #region measure
/** Tells how long each build took, with everything that the driver did for it. */
export function measureBuilds(
  report: (name: string, durationMs: number, outcome: "succeeded" | "failed") => void,
): DriverMiddleware {
  return (next) => ({
    async build(request, call) {
      const startedMs = performance.now();
      try {
        const result = await next.build(request, call);
        report(request.name, performance.now() - startedMs, "succeeded");
        return result;
      } catch (error) {
        report(request.name, performance.now() - startedMs, "failed");
        throw error;
      }
    },
  });
}
// #endregion measure

// #region policy
/** Lets builds push only to registries of the organisation. */
export function onlyPushTo(registries: readonly string[]): DriverMiddleware {
  return (next) => ({
    build(request, call) {
      const foreign = request.tags.filter((tag) => !registries.some((registry) => tag.startsWith(`${registry}/`)));
      if (foreign.length === 0) return next.build(request, call);
      const message = `Tags must be in one of ${registries.join(", ")}: ${foreign.join(", ")}.`;
      const issues = foreign.map((tag) => ({ path: "tags", message: `${tag} is elsewhere` }));
      throw new BuilderError({ code: "INVALID_OPTIONS", message, details: { issues } });
    },
  });
}
// #endregion policy
