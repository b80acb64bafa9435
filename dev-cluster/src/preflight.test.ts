import { describe, expect, it } from "vitest";

import { type Machine, checkGoVersion, effectiveCapabilities, findObstacle } from "./preflight.ts";

const able: Machine = {
  platform: "linux",
  userId: 0,
  capabilities: ~0n,
  cache: "/root/.cache/slipway",
  hasTool: () => true,
};

describe("findObstacle", () => {
  it("finds none on Linux as root with all tools", () => {
    expect(findObstacle(able)).toBeUndefined();
  });

  it.each<[string, Partial<Machine>, RegExp, RegExp]>([
    ["another system", { platform: "darwin" }, /needs Linux; this is darwin/, /SLIPWAY_KUBECONFIG/],
    ["an ordinary user", { userId: 1000 }, /needs root/, /SLIPWAY_KUBECONFIG/],
    ["root without privileges", { capabilities: 0n }, /CAP_NET_ADMIN and CAP_SYS_ADMIN/, /SLIPWAY_KUBECONFIG/],
    ["a cache that the nodes hide", { cache: "/var/lib/slipway" }, /lies in \/var\/lib/, /SLIPWAY_CACHE/],
    ["missing tools", { hasTool: (name) => name !== "ip" && name !== "go" }, /missing: ip, go/, /Install iproute2, Go/],
  ])("names %s and the remedy", (_, difference, message, remedy) => {
    const obstacle = findObstacle({ ...able, ...difference });
    expect(obstacle?.message).toMatch(message);
    expect(obstacle?.remedy).toMatch(remedy);
  });
});

describe("effectiveCapabilities", () => {
  it("reads the bits of /proc/self/status", () => {
    expect(effectiveCapabilities("Name:\tnode\nCapEff:\t0000000000203000\nCapBnd:\t0\n")).toBe(0x203000n);
    expect(effectiveCapabilities("")).toBe(0n);
  });
});

describe("checkGoVersion", () => {
  it.each(["go1.26.3", "go1.26.8", "go1.27.0", "go2.0"])("takes %s", (version) => {
    expect(() => checkGoVersion(version)).not.toThrow();
  });
  it.each(["go1.26.2", "go1.25.9", "go1.9", "devel"])("refuses %s", (version) => {
    expect(() => checkGoVersion(version)).toThrow(/1\.26\.3 or newer/);
  });
});
