import { buildkitDriver } from "@slipway/buildkit-driver";
import { testDriverConformance } from "@slipway/testing/conformance";
import { afterAll } from "vitest";

import { BuilderProbes } from "./support/builder-probes.ts";
import { createTestNamespace } from "./support/test-namespace.ts";

const namespace = await createTestNamespace();
afterAll(() => namespace[Symbol.asyncDispose]());

const { bases, images } = namespace.testCluster;
const probes = new BuilderProbes(namespace);
const mount = "--mount=type=secret,id=conformance";

for (const rootless of [false, true]) {
  const name = rootless ? "rootless" : "rootful";
  testDriverConformance({
    name: `BuildKit driver, ${name},`,
    createDriver: () =>
      buildkitDriver({
        ...namespace.driverOptions,
        name,
        rootless,
        image: rootless ? images.buildkitRootless : images.buildkit,
      }),
    dockerfiles: {
      simple: `FROM ${bases.busybox}\nRUN echo hello\n`,
      slow: `FROM ${bases.busybox}\nRUN sleep 600\n`,
      failing: `FROM ${bases.busybox}\nRUN echo oh no && exit 3\n`,
      secret: `FROM ${bases.busybox}\nRUN ${mount} test -s /run/secrets/conformance\n`,
      failingSecret: `FROM ${bases.busybox}\nRUN ${mount} test -s /run/secrets/conformance && exit 4\n`,
    },
    tag: (tag) => `${namespace.repository}/conformance-${name}:${tag}`,
    otherTag: (tag) => `${namespace.repository}/conformance-${name}-other:${tag}`,
    isBuildAlive: (buildId) => probes.isBuildAlive(buildId),
    resolveDigest: (reference) => probes.resolveDigest(reference),
  });
}
