import { wrapDriver } from "@slipway/core";
import { expect, test, vi } from "vitest";

import { fakeHarness } from "./self-test/fake-harness.ts";
import { buildSaboteurs } from "./self-test/build-saboteurs.ts";
import { skipSaboteurs } from "./self-test/skip-saboteurs.ts";
import { operationSaboteurs } from "./self-test/operation-saboteurs.ts";
import { publishSaboteurs } from "./self-test/publish-saboteurs.ts";
import { checkRequirement, conformanceRequirements, runConformance, testDriverConformance } from "./conformance.ts";
import { checkUnlessSkipped } from "./conformance-suite.ts";
import { FakeCluster } from "./fake-cluster.ts";
import { createFakeDriver } from "./fake-driver.ts";

/** A run of the whole suite takes a second; on a busy machine many. */
vi.setConfig({ testTimeout: 60_000 });

testDriverConformance(fakeHarness());

test("CONFORMANCE: fake driver passes every requirement and skips none", async () => {
  const outcomes = await runConformance(fakeHarness());
  expect(outcomes.filter(({ outcome }) => outcome !== "passed")).toEqual([]);
  expect(outcomes).toHaveLength(conformanceRequirements.length);
});

test("CONFORMANCE: fake driver passes again where registries have kept what an earlier run has pushed", async () => {
  const harness = fakeHarness();
  await runConformance(harness);
  const outcomes = await runConformance(harness);
  expect(outcomes.filter(({ outcome }) => outcome !== "passed")).toEqual([]);
});

test("CONFORMANCE: no run asks for a tag that another one has asked for", async () => {
  const asked: string[] = [];
  const noted = (tag: string) => {
    asked.push(tag);
    return tag;
  };
  const harness = fakeHarness({
    tag: (name) => noted(`registry.example.com/conformance:${name}`),
    otherTag: (name) => noted(`registry.example.com/conformance-other:${name}`),
  });
  await runConformance(harness);
  const before = new Set(asked.splice(0));
  await runConformance(harness);
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.filter((name) => before.has(name))).toEqual([]);
});

test("CONFORMANCE: a driver that declares nothing skips what is about features and operations, and passes the rest", async () => {
  const cluster = new FakeCluster();
  const createDriver = () => {
    const fake = createFakeDriver({ cluster, features: [] });
    const { specificationVersion, name, features } = fake;
    return { specificationVersion, name, features, build: fake.build.bind(fake) };
  };
  const outcomes = await runConformance(fakeHarness({ cluster, createDriver }));
  expect(outcomes.filter(({ outcome }) => outcome === "failed")).toEqual([]);
  const skipped = outcomes.filter(({ outcome }) => outcome === "skipped").map(({ id }) => id);
  const conditional = conformanceRequirements.filter(({ ifAnyOf, ifAllOf }) => (ifAnyOf ?? ifAllOf) !== undefined);
  expect(skipped).toEqual(conditional.map(({ id }) => id));
});

test("CONFORMANCE: what is about two features at once is skipped for a driver that has one of them", async () => {
  const cluster = new FakeCluster();
  const createDriver = () => createFakeDriver({ cluster, features: [] });
  const outcomes = await runConformance(fakeHarness({ cluster, createDriver }));
  const outcomeOf = (asked: string) => outcomes.find(({ id }) => id === asked)?.outcome;
  expect(["publish", "publish-platforms"].map(outcomeOf)).toEqual(["passed", "skipped"]);
});

test.each([
  { requirement: { ifAnyOf: ["publish", "find"] }, reason: undefined },
  { requirement: { ifAnyOf: ["sbom", "ssh"] }, reason: "fake driver declares none of sbom, ssh" },
  { requirement: { ifAllOf: ["publish", "sbom"] }, reason: "fake driver declares no sbom" },
  {
    requirement: { ifAnyOf: ["publish"], ifAllOf: ["sbom", "ssh"] },
    reason: "fake driver declares no sbom and no ssh",
  },
  { requirement: { ifHarnessHas: "otherTag" }, reason: "the harness of fake driver has no otherTag" },
] as const)("CONFORMANCE: why $requirement is skipped is told: $reason", async ({ requirement, reason }) => {
  const harness = fakeHarness();
  delete harness.otherTag;
  const check = vi.fn(async () => {});
  const asked = { id: "told", rule: "tells", check, ...requirement };
  expect(await checkUnlessSkipped(asked, harness)).toBe(reason);
  expect(await checkRequirement(asked, harness)).toBe(reason === undefined);
  expect(check).toHaveBeenCalledTimes(reason === undefined ? 2 : 0);
});

test("CONFORMANCE: what takes another repository is skipped where the harness has none, and the rest passes", async () => {
  const harness = fakeHarness();
  delete harness.otherTag;
  const outcomes = await runConformance(harness);
  const others = outcomes.filter(({ outcome }) => outcome !== "passed");
  expect(others).toEqual(["publish-elsewhere", "publish-unchanged"].map((id) => ({ id, outcome: "skipped" })));
});

test.each([...buildSaboteurs, ...skipSaboteurs, ...publishSaboteurs, ...operationSaboteurs])(
  "CONFORMANCE: a saboteur that $name fails $requirement",
  async ({ requirement, sabotage }) => {
    const cluster = new FakeCluster();
    const createDriver = () => wrapDriver(createFakeDriver({ cluster }), sabotage(cluster));
    const outcomes = await runConformance(fakeHarness({ cluster, createDriver, abortMs: 700 }));
    expect(outcomes.filter(({ outcome }) => outcome === "failed").map(({ id }) => id)).toEqual([requirement]);
  },
);
