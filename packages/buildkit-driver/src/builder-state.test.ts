import type { Deployment, Pod } from "@slipway/cluster";
import { describe, expect, it } from "vitest";

import { memoryLimit, planBuilder, readyPods } from "./builder-state.ts";
import { resolveBuildkitDriverOptions, type BuildkitDriverOptions } from "./buildkit-options.ts";
import { builderDeployment, configHashAnnotation } from "./workload.ts";

function wanted(options: BuildkitDriverOptions = {}): Deployment {
  return builderDeployment("builds", resolveBuildkitDriverOptions(options));
}

function pod(name: string, options: { of?: Deployment; ready?: boolean; deleted?: boolean } = {}): Pod {
  const { of = wanted(), ready = true, deleted = false } = options;
  const hash = of.metadata?.annotations?.[configHashAnnotation] ?? "";
  return {
    metadata: {
      name,
      annotations: { [configHashAnnotation]: hash },
      ...(deleted ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    status: { phase: "Running", conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  };
}

describe("planBuilder", () => {
  it.each<[string, Deployment | undefined, Pod[], string]>([
    ["nothing there", undefined, [], "create"],
    ["another configuration", wanted({ image: "other" }), [pod("a")], "update"],
    ["stopped", { ...wanted(), spec: { ...wanted().spec, replicas: 0 } } as Deployment, [], "update"],
    ["no pod yet", wanted(), [], "wait"],
    ["a pod that is not ready", wanted(), [pod("a", { ready: false })], "wait"],
    ["a pod of the configuration before", wanted(), [pod("a", { of: wanted({ image: "other" }) })], "wait"],
    ["a pod on its way out", wanted(), [pod("a", { deleted: true })], "wait"],
    ["a ready pod", wanted(), [pod("a", { ready: false }), pod("b")], "ready"],
  ])("with %s", (_title, existing, pods, plan) => {
    expect(planBuilder(existing, wanted(), pods)).toBe(plan);
  });
});

it("readyPods leaves out what cannot build", () => {
  const pods = [pod("a"), pod("b", { ready: false }), pod("c", { deleted: true })];
  expect(readyPods(pods, wanted()).map(({ metadata }) => metadata?.name)).toEqual(["a"]);
});

it("memoryLimit is that of the builder's container", () => {
  const containers = [
    { name: "proxy", resources: { limits: { memory: "1Gi" } } },
    { name: "buildkitd", resources: { limits: { memory: "2Gi" } } },
  ];
  expect(memoryLimit({ spec: { containers } })).toBe("2Gi");
  expect(memoryLimit({ spec: { containers: containers.slice(0, 1) } })).toBeUndefined();
});
