import { join } from "node:path";

import type { AddressPlan, NodeAddresses } from "./address-plan.ts";
import type { ClusterPaths } from "./cluster-paths.ts";
import { type DaemonCommand, flags } from "./control-plane.ts";
import { componentKubeconfig } from "./kube-config.ts";

/** Renders the kubelet's configuration (JSON is YAML). */
export function kubeletConfig(paths: ClusterPaths, plan: AddressPlan, node: NodeAddresses, cgroupRoot: string): string {
  return JSON.stringify({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: node.address,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(paths.pki, "ca.crt") },
    },
    authorization: { mode: "Webhook" },
    cgroupDriver: "cgroupfs",
    cgroupRoot: `${cgroupRoot}/${node.name}`,
    failSwapOn: false,
    failCgroupV1: false,
    containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
    clusterDNS: [plan.controlPlane],
    clusterDomain: "cluster.local",
    resolvConf: "",
    podLogsDir: "/var/log/pods",
    volumePluginDir: "/var/lib/kubelet/volumeplugins",
    // A full disk of the machine must not evict pods at once, and loaded images cannot be pulled again.
    evictionHard: {
      "memory.available": "100Mi",
      "nodefs.available": "1%",
      "nodefs.inodesFree": "0%",
      "imagefs.available": "1%",
      "imagefs.inodesFree": "0%",
    },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    imageMinimumGCAge: "10000h",
    enforceNodeAllocatable: ["pods"],
    evictionPressureTransitionPeriod: "0s",
    serializeImagePulls: false,
  });
}

/** Where a node's kubelet configuration is written. */
export function kubeletConfigPath(paths: ClusterPaths, node: NodeAddresses): string {
  return join(paths.root, node.name, "kubelet.json");
}

/** The kubelet and kube-proxy of one node. With iptables, NodePorts answer on the node's 127.0.0.1 too. */
export function nodeCommands(
  paths: ClusterPaths,
  plan: AddressPlan,
  node: NodeAddresses,
  hyper: string,
): readonly DaemonCommand[] {
  const kubelet = {
    config: kubeletConfigPath(paths, node),
    kubeconfig: componentKubeconfig(paths, node.name),
    "hostname-override": node.name,
    "node-ip": node.address,
  };
  const proxy = {
    kubeconfig: componentKubeconfig(paths, "proxy"),
    "proxy-mode": "iptables",
    "hostname-override": node.name,
    "cluster-cidr": plan.clusterCidr,
    // These would be settings of the whole machine.
    "conntrack-max-per-core": 0,
    "conntrack-tcp-timeout-established": 0,
    "conntrack-tcp-timeout-close-wait": 0,
  };
  return [
    { name: `${node.name}-kubelet`, argv: [hyper, "kubelet", ...flags(kubelet)] },
    { name: `${node.name}-proxy`, argv: [hyper, "kube-proxy", ...flags(proxy)] },
  ];
}
