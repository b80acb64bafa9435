import { existsSync, readFileSync, readdirSync } from "node:fs";
import { chmod, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

import type { Artifact, ArtifactStore } from "./artifact-store.ts";
import { hashInputs } from "./content-hash.ts";
import { ClusterFailure } from "./failure.ts";
import { withLock } from "./file-lock.ts";
import { runCommand } from "./run-command.ts";

/** What the nodes run: unpacked together, never installed. */
export const nodePackages = [
  "containerd",
  "runc",
  "libseccomp2",
  "containernetworking-plugins",
  "iptables",
  "conntrack",
  "libnetfilter-conntrack3",
  "libip6tc2",
  "libip4tc2",
  "libxtables12",
  "libnfnetlink0",
  "libnftnl11",
  "libmnl0",
] as const;

/** What the images are made of: each unpacked into a folder of its own. */
export const imagePackages = [
  "busybox-static",
  "libc6",
  "libc6-dev",
  "libcrypt1",
  "libcrypt-dev",
  "libgcc-s1",
  "linux-libc-dev",
  "tcc",
  "runc",
  "libseccomp2",
  "uidmap",
  "libaudit1",
  "libselinux1",
  "libcap-ng0",
  "libpcre2-8-0",
] as const;

/** One of {@link imagePackages}. */
export type ImagePackage = (typeof imagePackages)[number];

/** The folder in which Debian keeps the libraries of this machine's architecture. */
export function libraryTriplet(arch: string = process.arch): string {
  return arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
}

function distribution(): string {
  return existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "unknown";
}

/** containerd, runc, CNI plugins, iptables and conntrack, with a `bin` folder of wrappers that find their libraries. */
export function nodePackagesArtifact(store: ArtifactStore): Artifact {
  const artifact: Artifact = {
    name: "node-packages",
    key: hashInputs({
      packages: nodePackages,
      distribution: distribution(),
      arch: process.arch,
      wrappers: wrapperScript("", []),
    }),
    async build(folder) {
      const root = join(folder, "root");
      for (const file of await download(store, artifact, nodePackages, folder))
        await unpack(file, root, store.logFile(artifact));
      await writeCommands(folder);
    },
  };
  return artifact;
}

/** The packages that images take files from, one folder each. */
export function imagePackagesArtifact(store: ArtifactStore): Artifact {
  const artifact: Artifact = {
    name: "image-packages",
    key: hashInputs({ packages: imagePackages, distribution: distribution(), arch: process.arch }),
    async build(folder) {
      for (const file of await download(store, artifact, imagePackages, folder)) {
        const [name = ""] = basename(file).split("_");
        await unpack(file, join(folder, name), store.logFile(artifact));
      }
    },
  };
  return artifact;
}

/** Packages that tests and benches take a program from, unpacked together into one folder, laid out as they would be on a machine. */
export function programPackagesArtifact(store: ArtifactStore, name: string, packages: readonly string[]): Artifact {
  const artifact: Artifact = {
    name: `debian-${name}`,
    key: hashInputs({ packages, distribution: distribution(), arch: process.arch }),
    async build(folder) {
      for (const file of await download(store, artifact, packages, folder))
        await unpack(file, folder, store.logFile(artifact));
    },
  };
  return artifact;
}

async function unpack(file: string, folder: string, logFile: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await runCommand(["dpkg-deb", "-x", file, folder], { logFile });
  await rm(file);
}

async function download(
  store: ArtifactStore,
  artifact: Artifact,
  packages: readonly string[],
  folder: string,
): Promise<readonly string[]> {
  const logFile = store.logFile(artifact);
  const apt = (lists: readonly string[], ...words: string[]): Promise<string> =>
    runCommand(["apt-get", "-q", "-o", "APT::Sandbox::User=root", ...lists, ...words], {
      cwd: folder,
      logFile,
      remedy: "Check the log: a Debian or Ubuntu mirror must be reachable for the first run (`apt-get update`).",
    });
  try {
    await apt([], "download", ...packages);
  } catch {
    // The machine has no package lists, or old ones: fetch current ones into the cache, and leave the machine's alone.
    const lists = join(store.cache, "apt");
    await mkdir(join(lists, "lists", "partial"), { recursive: true });
    const own = ["-o", `Dir::State::lists=${lists}/lists`, "-o", `Dir::Cache=${lists}`];
    await withLock(join(store.cache, "locks", "apt"), () => apt(own, "update"));
    await apt(own, "download", ...packages);
  }
  const files = readdirSync(folder).filter((name) => name.endsWith(".deb"));
  const missing = packages.filter((name) => !files.some((file) => file.startsWith(`${name}_`)));
  if (missing.length === 0) return files.map((name) => join(folder, name));
  throw new ClusterFailure(`apt-get did not bring ${missing.join(", ")}.`, {
    remedy: "Run `apt-get update`.",
    logFile,
  });
}

// $0 is absolute: these commands are found through PATH. No library of the machine is needed or disturbed.
function wrapperScript(program: string, words: readonly string[]): string {
  const libraries = ["usr/lib", "lib"].map((folder) => `$root/${folder}/${libraryTriplet()}`).join(":");
  return [
    "#!/bin/sh",
    "root=${0%/*}/../root",
    `export LD_LIBRARY_PATH=${libraries} XTABLES_LIBDIR=$root/usr/lib/${libraryTriplet()}/xtables`,
    `exec "$root/${program}" ${words.join(" ")} "$@"`,
    "",
  ].join("\n");
}

async function writeCommands(folder: string): Promise<void> {
  const bin = join(folder, "bin");
  await mkdir(bin);
  const wrap = async (name: string, program: string, ...words: string[]): Promise<void> => {
    await writeFile(join(bin, name), wrapperScript(program, words));
    await chmod(join(bin, name), 0o755);
  };
  for (const name of [
    "iptables",
    "iptables-save",
    "iptables-restore",
    "ip6tables",
    "ip6tables-save",
    "ip6tables-restore",
  ]) {
    await wrap(name, "usr/sbin/xtables-nft-multi", name);
  }
  await wrap("conntrack", "usr/sbin/conntrack");
  await wrap("runc", "usr/sbin/runc");
  for (const name of ["containerd", "containerd-shim-runc-v2", "ctr"])
    await symlink(`../root/usr/bin/${name}`, join(bin, name));
}
