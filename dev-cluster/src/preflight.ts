import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

import { ClusterFailure } from "./failure.ts";

/** What decides whether a cluster can be started on this machine. */
export interface Machine {
  readonly platform: string;
  readonly userId: number | undefined;
  /** Effective capabilities, as in /proc/self/status. */
  readonly capabilities: bigint;
  readonly cache: string;
  hasTool(name: string): boolean;
}

const existingCluster =
  "Set SLIPWAY_KUBECONFIG (and SLIPWAY_CONTEXT) to use an existing cluster: kind, minikube, k3d or a shared one.";

const tools: Readonly<Record<string, string>> = {
  ip: "iproute2",
  nsenter: "util-linux",
  unshare: "util-linux",
  setpriv: "util-linux",
  flock: "util-linux",
  mount: "mount",
  "apt-get": "apt",
  "dpkg-deb": "dpkg",
  go: "Go 1.26.3 or newer",
};

// Each of these is another folder inside the nodes.
const hiddenFolders = ["/run", "/var/log", "/var/lib", "/proc", "/sys", "/dev"];
const neededCapabilities = { CAP_NET_ADMIN: 12n, CAP_SYS_ADMIN: 21n };

/** Says why a cluster cannot be started, before anything is touched; undefined when it can. */
export function findObstacle(machine: Machine): ClusterFailure | undefined {
  const obstacle = (message: string, remedy: string): ClusterFailure => new ClusterFailure(message, { remedy });
  if (machine.platform !== "linux")
    return obstacle(`The embedded cluster needs Linux; this is ${machine.platform}.`, existingCluster);
  if (machine.userId !== 0) return obstacle("The embedded cluster needs root.", `Run as root, or: ${existingCluster}`);
  const lacking = Object.entries(neededCapabilities).filter(([, bit]) => (machine.capabilities & (1n << bit)) === 0n);
  if (lacking.length > 0) {
    const names = lacking.map(([name]) => name).join(" and ");
    return obstacle(`Root has no ${names} here (a container without privileges?).`, existingCluster);
  }
  const hidden = hiddenFolders.find((folder) => machine.cache === folder || machine.cache.startsWith(`${folder}/`));
  if (hidden)
    return obstacle(
      `The cache folder ${machine.cache} lies in ${hidden}, which the nodes replace.`,
      "Set SLIPWAY_CACHE to another folder.",
    );
  const missing = Object.keys(tools).filter((tool) => !machine.hasTool(tool));
  if (missing.length === 0) return undefined;
  const packages = [...new Set(missing.map((tool) => tools[tool]))].join(", ");
  return obstacle(`These commands are missing: ${missing.join(", ")}.`, `Install ${packages}. Or: ${existingCluster}`);
}

/** Looks at the machine that this process runs on. */
export function thisMachine(cache: string): Machine {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return {
    platform: process.platform,
    userId: process.getuid?.(),
    capabilities: process.platform === "linux" ? effectiveCapabilities(readFileSync("/proc/self/status", "utf8")) : 0n,
    cache,
    hasTool: (name) => folders.some((folder) => existsSync(join(folder, name))),
  };
}

/** Reads the CapEff line of /proc/PID/status. */
export function effectiveCapabilities(status: string): bigint {
  const digits = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return BigInt(`0x${digits}`);
}

/** Refuses a Go command that is older than what the pinned modules ask for. */
export function checkGoVersion(version: string): void {
  const [major = 0, minor = 0, patch = 0] = version
    .replace(/^go/, "")
    .split(".")
    .map((part) => Number.parseInt(part, 10));
  const isNewEnough = major > 1 || (major === 1 && (minor > 26 || (minor === 26 && patch >= 3)));
  if (!isNewEnough)
    throw new ClusterFailure(`Go is ${version}; 1.26.3 or newer is needed.`, { remedy: "Install a newer Go." });
}
