import { buildOptionsSchema, parseOptions } from "@slipway/core";
import { expect, it } from "vitest";

import { foldBuild, planBuild } from "./build-plan.ts";
import { resolveKanikoDriverOptions } from "./kaniko-options.ts";
import { withoutCachePush } from "./refused-cache.ts";

/** Arguments about the cache of a build that may not push to it. */
async function cacheArguments(version: string): Promise<readonly string[]> {
  const given = { context: ".", dockerfileInline: "FROM scratch\n", tags: ["r.example.com/app:1"] };
  const request = { ...parseOptions(buildOptionsSchema, given, "test"), id: "7", name: "api", kaniko: {} };
  const cache = { ttl: "1h", copyLayers: true };
  const driver = { image: `gcr.io/kaniko-project/executor:${version}`, cache };
  const folded = foldBuild(request, resolveKanikoDriverOptions(driver));
  const plan = withoutCachePush(await planBuild(folded), folded);
  return plan.arguments.filter((argument) => argument.includes("cache"));
}

it.each([
  ["v1.24.0", ["--cache=true", "--cache-repo=r.example.com/app/cache", "--cache-ttl=1h", "--no-push-cache=true"]],
  ["v1.9.0", ["--cache=true", "--cache-repo=r.example.com/app/cache", "--cache-ttl=1h", "--no-push-cache=true"]],
  ["v1.8.0", ["--cache=false"]],
])("an executor %s pushes no layers", async (version, expected) => {
  const args = await cacheArguments(version);
  expect(args.filter((argument) => argument !== "--cache-copy-layers=true")).toEqual(expected);
});
