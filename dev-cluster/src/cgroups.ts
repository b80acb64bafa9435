import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { setTimeout as delay } from "node:timers/promises";

/** The control groups of one cluster: one folder of the same name in every hierarchy of the machine. */
export interface Cgroups {
  /** Makes the folders for daemons and nodes. */
  create(nodes: readonly string[]): void;
  /** Moves a process (and what it starts later) into the daemons' group. */
  join(pid: number): void;
  /** Every process of the cluster, containers included. */
  processes(): readonly number[];
  /** Ends every process with SIGKILL and removes the folders. */
  remove(): Promise<void>;
  exists(): boolean;
  /** The path below each hierarchy, with a leading slash. */
  readonly path: string;
}

interface Hierarchies {
  readonly unified: boolean;
  /** Where processes are put. */
  readonly joined: readonly string[];
  /** Where folders may be found: runc also makes some in a cgroup2 mount beside version 1. */
  readonly all: readonly string[];
}

/** Finds the cgroup mounts in the text of /proc/self/mounts. */
export function parseCgroupMounts(mounts: string): { version1: readonly string[]; version2: readonly string[] } {
  const rows = mounts.split("\n").map((row) => row.split(" "));
  const ofType = (type: string): string[] => rows.filter((row) => row[2] === type).map((row) => row[1] ?? "");
  return { version1: ofType("cgroup"), version2: ofType("cgroup2") };
}

const cgroup2Magic = 0x63677270;

function findHierarchies(): Hierarchies {
  const root = "/sys/fs/cgroup";
  if (statfsSync(root).type === cgroup2Magic) return { unified: true, joined: [root], all: [root] };
  const { version1, version2 } = parseCgroupMounts(readFileSync("/proc/self/mounts", "utf8"));
  return { unified: false, joined: version1, all: [...version1, ...version2] };
}

/** The control groups called `name` in every hierarchy. */
export function clusterCgroups(name: string): Cgroups {
  let known: Hierarchies | undefined;
  const hierarchies = (): Hierarchies => (known ??= findHierarchies());
  const roots = (): readonly string[] => hierarchies().all.map((mount) => join(mount, name));
  const processes = (): number[] => [...new Set(roots().flatMap((root) => processesBelow(root)))];
  return {
    path: `/${name}`,
    create(nodes) {
      const { unified, joined } = hierarchies();
      if (unified) delegate("/sys/fs/cgroup");
      for (const mount of joined) createBelow(mount, name, nodes, unified);
    },
    join(pid) {
      for (const mount of hierarchies().joined)
        writeFileSync(join(mount, name, "daemons", "cgroup.procs"), String(pid));
    },
    processes,
    exists: () => roots().some((root) => existsSync(root)),
    async remove() {
      await endProcesses(processes);
      for (const root of roots()) await removeBelow(root);
    },
  };
}

function createBelow(mount: string, name: string, nodes: readonly string[], unified: boolean): void {
  const groups = [name, join(name, "daemons"), ...nodes.map((node) => join(name, node))];
  for (const group of groups) {
    const folder = join(mount, group);
    mkdirSync(folder, { recursive: true });
    if (unified && group === name) delegate(folder);
    if (!unified) copyCpuset(folder);
  }
}

/** A new cpuset group of version 1 has no processors, and nothing can join it. */
function copyCpuset(folder: string): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    const parent = join(folder, "..", file);
    if (existsSync(parent)) writeFileSync(join(folder, file), readFileSync(parent));
  }
}

/** Version 2 hands a controller down only where the parent says so. */
function delegate(folder: string): void {
  for (const controller of ["cpuset", "cpu", "io", "memory", "hugetlb", "pids"]) {
    try {
      writeFileSync(join(folder, "cgroup.subtree_control"), `+${controller}`);
    } catch {
      // This kernel lacks the controller; the kubelet reports it if it needs it.
    }
  }
}

function foldersBelow(root: string): string[] {
  try {
    const children = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...children.flatMap((child) => foldersBelow(join(root, child.name))), root];
  } catch {
    return [];
  }
}

function processesBelow(root: string): number[] {
  return foldersBelow(root).flatMap((folder) => {
    try {
      return readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
    } catch {
      return [];
    }
  });
}

const attempts = 400;
const pauseMs = 25;

async function endProcesses(processes: () => readonly number[]): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const left = processes();
    if (left.length === 0) return;
    for (const pid of left) kill(pid);
    await delay(pauseMs);
  }
  throw new Error(`These processes do not end: ${processes().join(", ")}.`);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended in between.
  }
}

async function removeBelow(root: string): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    for (const folder of foldersBelow(root)) {
      try {
        rmdirSync(folder);
      } catch {
        // Busy for a moment after its last process ended.
      }
    }
    if (!existsSync(root)) return;
    await delay(pauseMs);
  }
  throw new Error(`The control group ${root} cannot be removed.`);
}
