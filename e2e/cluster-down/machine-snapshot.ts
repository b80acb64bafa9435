import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** What starting and ending a cluster must leave as it was, each part as sorted lines. */
export interface MachineSnapshot {
  readonly processes: readonly string[];
  readonly mounts: readonly string[];
  readonly namedNetworkNamespaces: readonly string[];
  readonly links: readonly string[];
  readonly addresses: readonly string[];
  readonly routes: readonly string[];
  readonly firewall: readonly string[];
  readonly cgroups: readonly string[];
  readonly settings: readonly string[];
}

/** What a snapshot looks for and looks past. */
export interface SnapshotScope {
  /** Text in the command line or control group of every process of the cluster under test. */
  readonly marks: readonly string[];
  /** Control groups whose contents change by themselves: another cluster's, and those of this very session. */
  readonly foreignCgroups: readonly string[];
  /** The folder with the iptables commands. */
  readonly packages: string;
}

/** Takes a snapshot of this machine. */
export function snapshotMachine(scope: SnapshotScope): MachineSnapshot {
  return {
    processes: findProcesses(scope.marks).map(({ pid, command }) => `${pid} ${command}`),
    mounts: mounts(),
    namedNetworkNamespaces: listFolder("/run/netns"),
    links: ipLines("link").map((line) => line.replace(/^\d+: /, "")),
    addresses: [...ipLines("-4", "address"), ...ipLines("-6", "address")].map((line) => line.replace(/^\d+: /, "")),
    routes: [
      ...ipLines("-4", "route", "show", "table", "all"),
      ...ipLines("-6", "route", "show", "table", "all"),
    ].sort(),
    firewall: firewallRules(scope.packages),
    cgroups: cgroupFolders(scope.foreignCgroups),
    settings: settings("/proc/sys").sort(),
  };
}

/** Running processes whose command line or control group contains one of the marks. */
export function findProcesses(marks: readonly string[]): readonly { pid: number; command: string }[] {
  return processIds().flatMap((pid) => {
    const command = readText(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
    const groups = readText(`/proc/${pid}/cgroup`);
    const isEnded = / [ZX] /.test(readText(`/proc/${pid}/stat`).replace(/^.*\)/, ""));
    return !isEnded && marks.some((mark) => command.includes(mark) || groups.includes(mark)) ? [{ pid, command }] : [];
  });
}

/** The network namespaces that processes are in, by inode: `net:[4026531840]`. */
export function networkNamespaces(pids: readonly number[] = processIds()): Set<string> {
  return new Set(pids.map((pid) => readLink(`/proc/${pid}/ns/net`)).filter((name) => name !== ""));
}

function processIds(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Root, mount point, type and source; ids of mounts and peer groups are numbered anew. */
function mounts(): readonly string[] {
  const rows = readText("/proc/self/mountinfo").trim().split("\n");
  return rows
    .map((row) => {
      const [left = "", right = ""] = row.split(" - ");
      const [, , , root = "", point = "", options = ""] = left.split(" ");
      return `${point} ${root} ${options} ${right}`;
    })
    .sort();
}

const ipCommand = "ip";

function ipLines(...words: string[]): readonly string[] {
  const text = execFileSync(ipCommand, ["-o", ...words], { encoding: "utf8" });
  // Remaining lifetimes count down.
  const isLeft = (line: string): string => line.replace(/(valid_lft|preferred_lft|expires) \S+/g, "").trim();
  return text.split("\n").map(isLeft).filter(Boolean).sort();
}

function firewallRules(packages: string): readonly string[] {
  const commands = ["iptables-save", "ip6tables-save"].map((name) => join(packages, "bin", name));
  const text = commands.map((command) =>
    execFileSync(command, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
  );
  const rules = text.flatMap((output) => output.split("\n")).filter((line) => line !== "" && !line.startsWith("#"));
  return rules.map((line) => line.replace(/\[\d+:\d+\]/, ""));
}

function cgroupFolders(foreign: readonly string[]): readonly string[] {
  const rows = readText("/proc/self/mounts")
    .split("\n")
    .map((row) => row.split(" "));
  const roots = rows.filter((row) => row[2]?.startsWith("cgroup")).map((row) => row[1] ?? "");
  return roots
    .flatMap((root) =>
      foldersBelow(
        root,
        foreign.map((name) => join(root, name)),
      ),
    )
    .sort();
}

function foldersBelow(folder: string, without: readonly string[]): string[] {
  if (without.includes(folder)) return [];
  return [
    folder,
    ...readFolder(folder)
      .filter((entry) => entry.isDirectory())
      .flatMap(({ name }) => foldersBelow(join(folder, name), without)),
  ];
}

// Counters, random ids, and what the kernel computes from the load.
const counters =
  /^\/proc\/sys\/(fs\/(dentry-state|file-nr|inode-nr|inode-state|aio-nr|quota\/.*|mqueue\/.*|binfmt_misc\/.*)|kernel\/(random\/.*|ns_last_pid|pty\/nr|sched_domain\/.*|perf_event_max_sample_rate|perf_cpu_time_max_percent)|net\/netfilter\/nf_conntrack_count)$/;

function settings(folder: string): string[] {
  return readFolder(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return settings(path);
    return counters.test(path) ? [] : [`${path} = ${readText(path).trim()}`];
  });
}

function readFolder(folder: string): { name: string; isDirectory(): boolean }[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function listFolder(folder: string): readonly string[] {
  return readFolder(folder)
    .map(({ name }) => name)
    .sort();
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function readLink(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return "";
  }
}
