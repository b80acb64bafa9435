// #region harness
import { createFakeDriver, FakeCluster } from "@slipway/testing";
import { testDriverConformance } from "@slipway/testing/conformance";

const cluster = new FakeCluster();

testDriverConformance({
  name: "my driver",
  createDriver: () => createFakeDriver({ cluster }),
  dockerfiles: {
    simple: "FROM scratch\nRUN echo hello",
    slow: "FROM scratch\nRUN sleep 600",
    failing: "FROM scratch\nRUN echo oh no && exit 3",
    secret: "FROM scratch\nRUN --mount=type=secret,id=conformance echo hello",
    failingSecret: "FROM scratch\nRUN --mount=type=secret,id=conformance exit 4",
  },
  tag: (name) => `registry.example.com/conformance:${name}`,
  otherTag: (name) => `registry.example.com/conformance-other:${name}`,
  // Probes look past the driver at what is really there.
  isBuildAlive: (buildId) => Promise.resolve(cluster.builds.get(buildId)?.alive ?? false),
  resolveDigest: (reference) => Promise.resolve(cluster.images.get(reference)),
});
// #endregion harness
