import { kanikoDriver } from "@slipway/kaniko-driver";
import { testDriverConformance } from "@slipway/testing/conformance";
import { afterAll } from "vitest";

import { createKanikoNamespace } from "./kaniko-namespace.ts";

const kaniko = await createKanikoNamespace();
afterAll(() => kaniko[Symbol.asyncDispose]());

const { bases } = kaniko.namespace.testCluster;

testDriverConformance({
  name: "kaniko driver",
  createDriver: () => kanikoDriver(kaniko.driverOptions),
  dockerfiles: {
    simple: `FROM ${bases.busybox}\nRUN echo hello\n`,
    slow: `FROM ${bases.busybox}\nRUN sleep 600\n`,
    failing: `FROM ${bases.busybox}\nRUN echo oh no && exit 3\n`,
  },
  tag: (tag) => `${kaniko.namespace.repository}/conformance:${tag}`,
  isBuildAlive: (buildId) => kaniko.isBuildAlive(buildId),
  resolveDigest: (reference) => kaniko.resolveDigest(reference),
  // Both of them on the nodes that there are.
  platforms: ["linux/amd64", "linux/amd64/v2"],
});
