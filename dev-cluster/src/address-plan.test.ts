import { describe, expect, it } from "vitest";

import { addressPlan, maxIndex, rangesOverlap } from "./address-plan.ts";

describe("addressPlan", () => {
  it("derives every address of the first cluster from index 0", () => {
    expect(addressPlan(0)).toMatchObject({
      hostLink: "slipway0",
      controlPlane: "10.250.0.1",
      clusterCidr: "10.251.0.0/22",
      serviceCidr: "10.252.0.0/24",
      nodes: [
        { name: "node-a", address: "10.250.0.11", podSubnet: "10.251.1.0/24" },
        { name: "node-b", address: "10.250.0.12", podSubnet: "10.251.2.0/24" },
      ],
    });
  });

  it("gives clusters ranges that never overlap, with pods inside their own", () => {
    const plans = Array.from({ length: maxIndex + 1 }, (_, index) => addressPlan(index));
    const ranges = plans.flatMap((plan) => [plan.nodeNetwork, plan.clusterCidr, plan.serviceCidr]);
    const overlapping = ranges.filter((left, at) => ranges.slice(at + 1).some((right) => rangesOverlap(left, right)));
    expect(overlapping).toEqual([]);
    for (const plan of plans) {
      expect(plan.nodes.every(({ podSubnet }) => rangesOverlap(podSubnet, plan.clusterCidr))).toBe(true);
      expect(plan.hostLink.length).toBeLessThan(15);
    }
  });

  it.each([-1, 0.5, maxIndex + 1, Number.NaN])("refuses the index %s", (index) => {
    expect(() => addressPlan(index)).toThrow(RangeError);
  });
});

describe("rangesOverlap", () => {
  it.each([
    ["10.250.0.0/24", "10.250.0.0/16", true],
    ["10.250.0.0/24", "10.250.1.0/24", false],
    ["10.250.0.0/24", "10.250.0.1", true],
    ["10.250.0.0/24", "0.0.0.0/0", true],
    ["192.168.0.0/16", "10.0.0.0/8", false],
    ["255.255.255.255", "255.255.255.0/24", true],
  ])("%s and %s: %s", (left, right, overlap) => {
    expect(rangesOverlap(left, right)).toBe(overlap);
    expect(rangesOverlap(right, left)).toBe(overlap);
  });
});
