/**
 * A fake driver that runs builds in memory, for tests of whatever stands on a builder. The suite that every driver passes is in
 * `@slipway/testing/conformance`.
 *
 * @packageDocumentation
 */
export { createFakeDriver, fakeFeatures } from "./fake-driver.ts";
export type { FakeDriver, FakeDriverOptions } from "./fake-driver.ts";
export { FakeCluster } from "./fake-cluster.ts";
export type { FakeBuildPlan, FakeImageContent, FakeRemoteBuild } from "./fake-cluster.ts";
export type { FakeSecret, FakeServiceAccount } from "./fake-objects.ts";
export { parseFakeDockerfile } from "./fake-dockerfile.ts";
export type { FakeStep } from "./fake-dockerfile.ts";
