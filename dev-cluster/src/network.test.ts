import { describe, expect, it } from "vitest";

import { indexConflict, linkAddress } from "./network.ts";

describe("indexConflict", () => {
  const ours = { ifname: "slipway2", address: linkAddress("us") };

  it("takes a free index, and one whose link is our own", () => {
    expect(indexConflict(2, "us", [], [{ dst: "default" }])).toBeUndefined();
    expect(indexConflict(2, "us", [ours], [{ dst: "10.250.2.1", dev: "slipway2" }])).toBeUndefined();
  });

  it("leaves an index to the cluster whose link is there", () => {
    expect(indexConflict(2, "them", [ours], [])).toMatch(/another cluster uses index 2/);
  });

  it("leaves ranges alone that this machine routes elsewhere", () => {
    expect(indexConflict(2, "us", [], [{ dst: "10.0.0.0/8", dev: "vpn0" }])).toMatch(/route to 10\.0\.0\.0\/8/);
    expect(indexConflict(2, "us", [], [{ dst: "10.250.3.0/24", dev: "vpn0" }])).toBeUndefined();
  });
});

describe("linkAddress", () => {
  it("is a local unicast address that depends on the cluster", () => {
    expect(linkAddress("us")).toMatch(/^02(:[0-9a-f]{2}){5}$/);
    expect(linkAddress("us")).not.toBe(linkAddress("them"));
  });
});
