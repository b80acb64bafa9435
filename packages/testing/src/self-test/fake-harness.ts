import type { ConformanceHarness } from "../conformance-harness.ts";
import { FakeCluster } from "../fake-cluster.ts";
import { createFakeDriver } from "../fake-driver.ts";

/** Drives the fake driver, or one made of it, through the suite. */
export function fakeHarness(
  changes: Partial<ConformanceHarness> & { readonly cluster?: FakeCluster } = {},
): ConformanceHarness {
  const { cluster = new FakeCluster(), ...rest } = changes;
  return {
    name: "fake driver",
    createDriver: () => createFakeDriver({ cluster, killMs: 5 }),
    dockerfiles: {
      simple: "FROM scratch\nRUN echo hello\n",
      slow: "FROM scratch\nRUN sleep 600\n",
      failing: "FROM scratch\nRUN echo oh no && exit 3\n",
      secret: "FROM scratch\nRUN --mount=type=secret,id=conformance echo used\n",
      failingSecret: "FROM scratch\nRUN --mount=type=secret,id=conformance exit 4\n",
    },
    tag: (name) => `registry.example.com/conformance:${name}`,
    otherTag: (name) => `registry.example.com/conformance-other:${name}`,
    isBuildAlive: async (buildId) => cluster.builds.get(buildId)?.alive === true,
    resolveDigest: async (reference) => cluster.images.get(reference),
    buildMs: 10_000,
    abortMs: 3_000,
    deadlineMs: 100,
    silenceMs: 20,
    ...rest,
  };
}
