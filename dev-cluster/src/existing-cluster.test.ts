import { describe, expect, it } from "vitest";

import { cacheFolder } from "./cluster-paths.ts";
import { embeddedClusterName, wantsExistingCluster } from "./existing-cluster.ts";

describe("SLIPWAY_KUBECONFIG", () => {
  it("names an existing cluster; KUBECONFIG alone never does", () => {
    expect(wantsExistingCluster({ SLIPWAY_KUBECONFIG: "/home/me/.kube/config" })).toBe(true);
    expect(wantsExistingCluster({ KUBECONFIG: "/home/me/.kube/config" })).toBe(false);
    expect(wantsExistingCluster({ SLIPWAY_KUBECONFIG: "" })).toBe(false);
  });

  it("stays the embedded cluster when it names that one's own file", () => {
    const file = `${cacheFolder()}/clusters/two/kubeconfig`;
    expect(embeddedClusterName(file)).toBe("two");
    expect(wantsExistingCluster({ SLIPWAY_KUBECONFIG: file })).toBe(false);
    expect(embeddedClusterName("/elsewhere/clusters/two/kubeconfig")).toBeUndefined();
  });
});
