import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import { type ClusterSite, clusterSite } from "./cluster-context.ts";
import { findAilments } from "./cluster-health.ts";
import { type ClusterRecord, deadProcesses, readRecord } from "./cluster-record.ts";
import { imageStore } from "./containerd.ts";
import { clusterDown } from "./ensure-cluster.ts";
import { existingCluster, wantsExistingCluster } from "./existing-cluster.ts";
import { ClusterFailure } from "./failure.ts";
import { type Progress, createProgress } from "./progress.ts";
import { type Upload, uploadImages } from "./registry-upload.ts";
import { type TestCluster, describeCluster } from "./test-cluster.ts";
import { up } from "./up.ts";

/** The parsed command line. */
export interface CommandLine {
  readonly name?: string | undefined;
  readonly index?: number | undefined;
  readonly node?: string | undefined;
  readonly purge: boolean;
  readonly routes: boolean;
  readonly follow: boolean;
  readonly words: readonly string[];
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const report = (line: string): void => void process.stderr.write(`${line}\n`);

function progressToTerminal(): Progress {
  return createProgress(report);
}

/** The commands of the command line; each returns its exit code. */
export const clusterCommands: Readonly<Record<string, (line: CommandLine) => number | Promise<number>>> = {
  async up(line) {
    const progress = progressToTerminal();
    const cluster = wantsExistingCluster()
      ? await existingCluster(progress)
      : await up({ ...line, renew: true }, progress);
    print(`cluster ${cluster.name} is ready: ${cluster.nodes.join(", ")}; kubeconfig ${cluster.kubeconfigPath}`);
    return 0;
  },
  async down(line) {
    await clusterDown({ ...line, onProgress: report });
    return 0;
  },
  async status(line) {
    const site = clusterSite(line);
    const record = readRecord(site.paths);
    if (!record) {
      print(
        `cluster ${site.name} is down${site.cgroups.exists() ? ", but parts of it are left: run `down` or `up`" : ""}`,
      );
      return 1;
    }
    const ailments = await findAilments(site.paths, record);
    for (const text of describeStatus(record, ailments)) print(text);
    return ailments.length === 0 ? 0 : 1;
  },
  env(line) {
    const cluster = runningCluster(line);
    print(`export SLIPWAY_KUBECONFIG=${quote(cluster.kubeconfigPath)}`);
    print(`export SLIPWAY_CONTEXT=${quote(cluster.context)}`);
    print(`export PATH=${quote(dirname(cluster.kubectl[0] ?? ""))}:"$PATH"`);
    print(`alias kubectl=${quote(cluster.kubectl.map(quote).join(" "))}`);
    return 0;
  },
  async "load-image"(line) {
    const { record } = runningRecord(line);
    const files = line.words.map((file) => resolve(file));
    if (files.length === 0) throw new ClusterFailure("No file given.", { remedy: "load-image FILE…" });
    for (const [name, init] of Object.entries(record.inits)) {
      if (name === "control-plane") continue;
      const store = imageStore({ name, init }, record.packages);
      for (const file of files) print(`${name}: ${(await store.importArchive(file)).trim()}`);
    }
    return 0;
  },
  logs(line) {
    const { paths } = clusterSite(line);
    const [component] = line.words;
    const file = join(paths.logs, `${component ?? ""}.log`);
    if (component !== undefined && existsSync(file))
      return run(["tail", "-n", "200", ...(line.follow ? ["-f"] : []), file]);
    const components = existsSync(paths.logs) ? readdirSync(paths.logs).map((name) => name.replace(/\.log$/, "")) : [];
    print(components.length === 0 ? "no logs yet" : components.sort().join("\n"));
    return component === undefined ? 0 : 1;
  },
  /** Not for users: `up` runs it inside a node's network. */
  async "seed-registry"({ words: [host = "", uploads = "[]"] }) {
    await uploadImages(host, JSON.parse(uploads) as Upload[]);
    return 0;
  },
  shell(line) {
    const cluster = runningCluster(line);
    if (line.node !== undefined) return run([...cluster.nodeCommand(line.node), "/bin/sh"]);
    const path = `${dirname(cluster.kubectl[0] ?? "")}:${process.env["PATH"] ?? ""}`;
    return run([process.env["SHELL"] ?? "/bin/sh"], { ...process.env, PATH: path, KUBECONFIG: cluster.kubeconfigPath });
  },
};

function describeStatus(record: ClusterRecord, ailments: readonly string[]): readonly string[] {
  const dead = deadProcesses(record);
  const processes = Object.entries({ ...record.inits, ...record.daemons });
  return [
    `cluster ${record.name} (index ${record.index}): ${ailments.length === 0 ? "healthy" : ailments.join(", ")}`,
    ...processes.map(([name, { pid }]) => `  ${name.padEnd(20)} ${dead.includes(name) ? "ended" : `pid ${pid}`}`),
    ...Object.entries(record.images).map(([name, reference]) => `  image ${name.padEnd(16)} ${reference}`),
  ];
}

function runningRecord(line: CommandLine): { site: ClusterSite; record: ClusterRecord } {
  const site = clusterSite(line);
  const record = readRecord(site.paths);
  if (record) return { site, record };
  throw new ClusterFailure(`Cluster ${site.name} is down.`, { remedy: `npm run cluster -- up --name ${site.name}` });
}

function runningCluster(line: CommandLine): TestCluster {
  const { site, record } = runningRecord(line);
  return describeCluster(site.paths, record);
}

function run(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): number {
  const { status, error } = spawnSync(argv[0] ?? "", argv.slice(1), { stdio: "inherit", env });
  if (error) throw error;
  return status ?? 1;
}

function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
