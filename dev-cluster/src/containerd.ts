import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import type { NodeAddresses } from "./address-plan.ts";
import { ClusterFailure } from "./failure.ts";
import { packImageLayout } from "./image-layout.ts";
import { layoutReference } from "./image-recipes.ts";
import { type NamespaceSet, enterNamespaces } from "./namespaces.ts";
import { runCommand } from "./run-command.ts";

/** The socket of each node's containerd: /run is private to the node. */
export const containerdSocket = "/run/containerd/containerd.sock";

/** Renders containerd's configuration. `packages` is the folder of the unpacked node packages. */
export function containerdConfig(options: { packages: string; networkConfig: string; pauseImage: string }): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  const unused = [
    "snapshotter.v1.btrfs",
    "snapshotter.v1.zfs",
    "snapshotter.v1.devmapper",
    "snapshotter.v1.aufs",
    "internal.v1.opt",
  ];
  return `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ${JSON.stringify(unused.map((name) => `io.containerd.${name}`))}
[grpc]
  address = "${containerdSocket}"
[${cri}]
  sandbox_image = "${options.pauseImage}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  tolerate_missing_hugetlb_controller = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
[${cri}.cni]
  bin_dir = "${options.packages}/root/usr/lib/cni"
  conf_dir = "${options.networkConfig}"
[${cri}.containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
  SystemdCgroup = false
  BinaryName = "${options.packages}/bin/runc"
`;
}

/** The pod network of one node. Leases lie on the node's /run, so they vanish with the node. */
export function networkConfig(node: NodeAddresses): string {
  const ipam = {
    type: "host-local",
    ranges: [[{ subnet: node.podSubnet }]],
    routes: [{ dst: "0.0.0.0/0" }],
    dataDir: "/run/cni-ipam",
  };
  const plugins = [
    // ptp, not bridge: it needs no br_netfilter, which is a module and a setting of the whole machine.
    { type: "ptp", ipMasq: false, mtu: 1500, ipam },
    { type: "portmap", capabilities: { portMappings: true } },
  ];
  return JSON.stringify({ cniVersion: "0.4.0", name: "slipway", plugins });
}

/** Writes the configuration files of one node's containerd and returns the command that runs it. */
export async function prepareContainerd(
  folder: string,
  node: NodeAddresses,
  packages: string,
  pauseImage: string,
): Promise<readonly string[]> {
  const network = join(folder, "cni");
  await mkdir(network, { recursive: true });
  await writeFile(join(network, "10-slipway.conflist"), networkConfig(node));
  await writeFile(join(folder, "containerd.toml"), containerdConfig({ packages, networkConfig: network, pauseImage }));
  return [`${packages}/bin/containerd`, "-c", join(folder, "containerd.toml")];
}

/** The image store of one node. */
export interface ImageStore {
  waitReady(): Promise<void>;
  /** Imports a layout unless the node has its reference. */
  importLayout(layout: string): Promise<void>;
  /** Imports an archive as `docker save` or an OCI tool writes it, and returns what ctr says. */
  importArchive(archive: string): Promise<string>;
}

/** Opens the image store of a node. */
export function imageStore(node: NamespaceSet, packages: string, logFile?: string): ImageStore {
  const ctr = [...enterNamespaces(node.init), `${packages}/bin/ctr`, "-a", containerdSocket, "-n", "k8s.io"];
  let known: Promise<Set<string>> | undefined;
  const references = (): Promise<Set<string>> =>
    (known ??= runCommand([...ctr, "images", "ls", "-q"]).then((list) => new Set(list.trim().split("\n"))));
  return {
    async waitReady() {
      for (let attempt = 0; attempt < 400; attempt++) {
        const isReady = await runCommand([...ctr, "version"]).then(
          () => true,
          () => false,
        );
        if (isReady) return;
        await delay(50);
      }
      throw new ClusterFailure(`containerd of ${node.name} does not answer.`, { remedy: "See its log.", logFile });
    },
    async importLayout(layout) {
      const [present, reference] = await Promise.all([references(), layoutReference(layout)]);
      if (present.has(reference)) return;
      await runCommand([...ctr, "images", "import", "-"], { input: packImageLayout(layout) });
      present.add(reference);
    },
    importArchive: (archive) => runCommand([...ctr, "images", "import", archive]),
  };
}
