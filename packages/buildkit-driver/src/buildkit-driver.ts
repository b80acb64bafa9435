import type { BuilderDriver } from "@slipway/core";

import { buildkitFeatures } from "./build-features.ts";
import { BuildkitBuilder } from "./buildkit-builder.ts";
import { resolveBuildkitDriverOptions, type BuildkitDriverOptions } from "./buildkit-options.ts";

/**
 * Builds with BuildKit pods in a cluster: a Deployment that the first build makes and the next ones find.
 *
 * Its pods need a namespace with Pod Security level `privileged`; the rules that its user needs are `requiredRbac`.
 *
 * @throws BuilderError INVALID_OPTIONS
 */
export function buildkitDriver(options: BuildkitDriverOptions = {}) {
  const builder = new BuildkitBuilder(resolveBuildkitDriverOptions(options));
  return {
    specificationVersion: "v1",
    name: "buildkit",
    features: buildkitFeatures,
    build: (request, call) => builder.build(request, call),
    bootstrap: (call) => builder.bootstrap(call),
    status: (call) => builder.status(call),
    prune: (pruneOptions, call) => builder.prune(pruneOptions, call),
    diskUsage: (call) => builder.diskUsage(call),
    publish: (publishOptions, call) => builder.publish(publishOptions, call),
    find: (query, call) => builder.find(query, call),
    identify: (request, _call, identifyOptions) => builder.identify(request, identifyOptions),
    recordIdentity: (image, call) => builder.recordIdentity(image, call),
    ensurePullable: (pullableOptions, call) => builder.ensurePullable(pullableOptions, call),
    stop: (call) => builder.stop(call),
    remove: (_options, call) => builder.remove(call),
    [Symbol.asyncDispose]: () => builder.close(),
  } satisfies BuilderDriver;
}

/** What {@link buildkitDriver} returns. */
export type BuildkitDriver = ReturnType<typeof buildkitDriver>;
