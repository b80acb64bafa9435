import { describe, expect, it } from "vitest";

import { addressPlan } from "./address-plan.ts";
import { clusterPaths, isClusterName } from "./cluster-paths.ts";
import { containerdConfig, networkConfig } from "./containerd.ts";
import { apiServerCommand, addonCommands, controllerCommands, corefile, flags } from "./control-plane.ts";
import { renderKubeconfig, serverNames, tokenLine } from "./kube-config.ts";
import { initScript } from "./namespaces.ts";
import { kubeletConfig, nodeCommands } from "./worker-node.ts";

const paths = clusterPaths("one", "/cache");
const plan = addressPlan(3);
const [nodeA] = plan.nodes;
if (!nodeA) throw new Error("no node");

describe("clusterPaths", () => {
  it("keeps clusters of other names and other caches apart", () => {
    const ids = [paths, clusterPaths("two", "/cache"), clusterPaths("one", "/other")].map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
    expect(paths.kubeconfig).toBe("/cache/clusters/one/kubeconfig");
  });

  it.each([
    ["slipway", true],
    ["e2e-2", true],
    ["", false],
    ["Upper", false],
    ["a/b", false],
    ["..", false],
    ["-a", false],
    ["a".repeat(25), false],
  ])("takes %j as a name: %s", (name, valid) => {
    expect(isClusterName(name)).toBe(valid);
  });
});

describe("the control plane's configuration", () => {
  it("writes flags with their values", () => {
    expect(flags({ a: "b", c: 1, d: false })).toEqual(["--a=b", "--c=1", "--d=false"]);
  });

  it("uses the plan's addresses", () => {
    const { argv } = apiServerCommand(paths, plan, "/hyper");
    expect(argv).toEqual(
      expect.arrayContaining(["--advertise-address=10.250.3.1", "--service-cluster-ip-range=10.252.3.0/24"]),
    );
    expect(serverNames(plan)).toEqual(expect.arrayContaining(["10.250.3.1", "10.252.3.1", "kubernetes.default.svc"]));
    expect(corefile(paths, plan)).toContain("bind 10.250.3.1");
    expect(controllerCommands(paths, "one", "/hyper").map(({ name }) => name)).toEqual([
      "controller-manager",
      "scheduler",
    ]);
    expect(addonCommands(paths, "/addons").map(({ name }) => name)).toEqual(["dns", "provisioner"]);
  });

  it("authenticates with tokens of a user and a quoted group", () => {
    expect(tokenLine("t", "system:node:node-a", "system:nodes")).toBe(
      't,system:node:node-a,system:node:node-a,"system:nodes"',
    );
    expect(tokenLine("t", "u", undefined)).toBe("t,u,u");
  });

  it("renders a kubeconfig whose context is the cluster's name", () => {
    const config = JSON.parse(renderKubeconfig({ name: "one", server: "https://x", ca: "CA", token: "t" })) as Record<
      string,
      unknown
    >;
    expect(config).toMatchObject({
      "current-context": "one",
      contexts: [{ name: "one", context: { cluster: "one", user: "one" } }],
      clusters: [{ cluster: { server: "https://x", "certificate-authority-data": "Q0E=" } }],
    });
  });
});

describe("a node's configuration", () => {
  it("gives the kubelet its own control group and the cluster's DNS", () => {
    expect(JSON.parse(kubeletConfig(paths, plan, nodeA, "/slipway-one"))).toMatchObject({
      address: "10.250.3.11",
      cgroupRoot: "/slipway-one/node-a",
      clusterDNS: ["10.250.3.1"],
    });
    const commands = nodeCommands(paths, plan, nodeA, "/hyper").flatMap(({ argv }) => argv);
    expect(commands).toEqual(expect.arrayContaining(["--node-ip=10.250.3.11", "--conntrack-max-per-core=0"]));
  });

  it("gives pods addresses of the node's subnet", () => {
    expect(JSON.parse(networkConfig(nodeA))).toMatchObject({
      plugins: [{ ipam: { ranges: [[{ subnet: "10.251.13.0/24" }]] } }, {}],
    });
    const config = containerdConfig({ packages: "/packages", networkConfig: "/cni", pauseImage: "pause:1" });
    expect(config).toContain('sandbox_image = "pause:1"');
    expect(config).toContain('BinaryName = "/packages/bin/runc"');
  });

  it("hides the settings of the machine that the kubelet would write", () => {
    const script = initScript("node-a", "/state/node-a", "/pause");
    expect(script).toContain("mount --bind /state/node-a/sysctl/kernel.panic /proc/sys/kernel/panic");
    expect(script.split("\n").at(-1)).toBe("exec /pause 3>&-");
  });
});
