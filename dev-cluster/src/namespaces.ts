import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { type DaemonOptions, startDaemon } from "./daemon.ts";
import { ClusterFailure } from "./failure.ts";
import { type ProcessIdentity, firstChild, identifyProcess, isAlive } from "./process-identity.ts";

/** The namespaces of one node or of the control plane: ending `init` ends everything in them. */
export interface NamespaceSet {
  readonly name: string;
  readonly init: ProcessIdentity;
}

/** The argument prefix that runs a command inside a namespace set. Use absolute paths: the working directory is lost. */
export function enterNamespaces(init: ProcessIdentity): readonly string[] {
  return ["nsenter", "-t", String(init.pid), "-m", "-p", "-n", "-u", "-i", "--"];
}

/** The argument prefix that runs a command of the machine in the network of a namespace set. */
export function enterNetwork(init: ProcessIdentity): readonly string[] {
  return ["nsenter", "-t", String(init.pid), "-n", "--"];
}

// The kubelet writes these. They belong to the whole machine, so it gets files to write to instead.
const machineSettings = {
  "vm/overcommit_memory": "1",
  "vm/panic_on_oom": "0",
  "kernel/panic": "10",
  "kernel/panic_on_oops": "1",
  "kernel/keys/root_maxkeys": "1000000",
  "kernel/keys/root_maxbytes": "25000000",
};

/** Renders what pid 1 does before it becomes `pause`: private folders, own settings, loopback. */
export function initScript(hostname: string, folder: string, pause: string): string {
  const settings = Object.entries(machineSettings).map(([name, value]) => {
    const file = `${folder}/sysctl/${name.replaceAll("/", ".")}`;
    return `if [ -e /proc/sys/${name} ]; then echo ${value} > ${file}; mount --bind ${file} /proc/sys/${name}; fi`;
  });
  return [
    "set -e",
    // A slave of the machine's mounts, but shared inside: what the machine unmounts is not held, and pods may share mounts.
    "mount --make-rshared /",
    `echo ${hostname} > /proc/sys/kernel/hostname`,
    "mount -t tmpfs -o mode=755 slipway-run /run",
    `mount --bind ${folder}/log /var/log`,
    `mount --bind ${folder}/varlib /var/lib`,
    ...settings,
    "mkdir -p /run/netns",
    "ip link set lo up",
    "echo 1 > /proc/sys/net/ipv4/ip_forward",
    "echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter",
    "echo 0 > /proc/sys/net/ipv4/conf/default/rp_filter",
    "echo ready >&3",
    `exec ${pause} 3>&-`,
  ].join("\n");
}

const setupTimeoutMs = 20_000;

/** Makes a namespace set whose private files lie in `folder`, and returns when it is set up. */
export async function createNamespaceSet(
  name: string,
  folder: string,
  pause: string,
  options: Omit<DaemonOptions, "onReady">,
): Promise<NamespaceSet> {
  for (const part of ["log", "sysctl", "varlib/kubelet", "varlib/cni", "varlib/containerd"]) {
    mkdirSync(join(folder, part), { recursive: true });
  }
  const flags = [
    "--fork",
    "--kill-child",
    "--pid",
    "--mount-proc",
    "--net",
    "--uts",
    "--ipc",
    "--mount",
    "--propagation",
    "slave",
  ];
  const ready = new AbortController();
  const argv = ["unshare", ...flags, "sh", "-c", initScript(name, folder, pause)];
  const unshare = await startDaemon(argv, { ...options, onReady: () => ready.abort() });
  const deadline = Date.now() + setupTimeoutMs;
  while (!ready.signal.aborted && isAlive(unshare) && Date.now() < deadline) await delay(5);
  const init = ready.signal.aborted ? identifyProcess(firstChild(unshare.pid) ?? 0) : undefined;
  if (init) return { name, init };
  throw new ClusterFailure(`The namespaces of ${name} could not be set up.`, {
    remedy: "See the log. Inside a container, it must be a privileged one; otherwise set SLIPWAY_KUBECONFIG.",
    logFile: options.logFile,
  });
}
