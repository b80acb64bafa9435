import { chmodSync, chownSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { AddressPlan } from "./address-plan.ts";
import type { ClusterSite } from "./cluster-context.ts";
import type { ClusterPaths } from "./cluster-paths.ts";
import { listNodes } from "./cluster-health.ts";
import { type ImageStore, imageStore, prepareContainerd } from "./containerd.ts";
import {
  type DaemonCommand,
  addonCommands,
  apiServerCommand,
  controllerCommands,
  corefile,
  corefilePath,
  etcdCommand,
} from "./control-plane.ts";
import { startDaemon } from "./daemon.ts";
import { type KubeApi, connectKubeApi } from "./kube-api.ts";
import { ensureCredentials } from "./kube-config.ts";
import { type NamespaceSet, createNamespaceSet, enterNamespaces } from "./namespaces.ts";
import { claimHostLink, connectNetworks } from "./network.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import type { Progress } from "./progress.ts";
import { registryAddress, storageClassManifest } from "./registry-manifests.ts";
import { waitUntil } from "./wait-until.ts";
import { kubeletConfig, kubeletConfigPath, nodeCommands } from "./worker-node.ts";

/** The finished folders and files that a start needs. */
export interface StartInputs {
  readonly hyper: string;
  readonly pause: string;
  readonly packages: string;
  readonly pauseImage: { readonly reference: string; layout(): Promise<string> };
  /** May fulfil later than the rest: nothing else waits for it. */
  addons(): Promise<string>;
  readonly routes: boolean;
}

/** A cluster whose API server answers and whose nodes can take images, but do not run the kubelet yet. */
export interface ControlPlane {
  readonly inits: Readonly<Record<string, ProcessIdentity>>;
  readonly stores: readonly ImageStore[];
  /** Starts controllers, kubelets and addons, and returns all daemons when every node is ready. */
  readonly startNodes: () => Promise<Readonly<Record<string, ProcessIdentity>>>;
}

/** Starts namespaces, API server and containerd on kept or empty state. Nothing of an earlier start may run. */
export async function startControlPlane(
  site: ClusterSite,
  plan: AddressPlan,
  inputs: StartInputs,
  progress: Progress,
): Promise<ControlPlane> {
  const { paths } = site;
  const launcher = createLauncher(site, inputs.packages);
  await prepareFolders(site, plan, inputs.hyper);
  const sets = await progress.step("make namespaces and network", () => createSets(site, plan, inputs, launcher.env));
  await launcher.run(sets.controlPlane, [
    etcdCommand(paths, inputs.hyper),
    apiServerCommand(paths, plan, inputs.hyper),
  ]);
  const [stores] = await Promise.all([
    progress.step("start containerd", () => startContainerd(site, plan, inputs, sets.nodes, launcher)),
    progress.step("start the API server", () => startApi(paths, launcher)),
  ]);
  const inits = Object.fromEntries([sets.controlPlane, ...sets.nodes].map(({ name, init }) => [name, init]));
  const nodes = async (): Promise<void> => {
    await launcher.run(sets.controlPlane, controllerCommands(paths, site.name, inputs.hyper));
    for (const [position, set] of sets.nodes.entries()) {
      const node = plan.nodes[position];
      if (node) await launcher.run(set, nodeCommands(paths, plan, node, inputs.hyper));
    }
    await waitForNodes(paths, plan, launcher);
  };
  const addons = async (): Promise<void> => {
    await launcher.run(sets.controlPlane, addonCommands(paths, await inputs.addons()));
  };
  const startNodes = async (): Promise<Readonly<Record<string, ProcessIdentity>>> => {
    // Both end before a failure is told: nothing may start behind it.
    const started = await Promise.allSettled([progress.step("start the nodes", nodes), addons()]);
    for (const result of started) if (result.status === "rejected") throw result.reason;
    return launcher.daemons;
  };
  return { inits, stores, startNodes };
}

interface Launcher {
  readonly env: NodeJS.ProcessEnv;
  readonly daemons: Readonly<Record<string, ProcessIdentity>>;
  logFile(name: string): string;
  run(set: NamespaceSet, commands: readonly DaemonCommand[]): Promise<void>;
}

function createLauncher(site: ClusterSite, packages: string): Launcher {
  const env = daemonEnvironment(packages);
  const daemons: Record<string, ProcessIdentity> = {};
  const logFile = (name: string): string => join(site.paths.logs, `${name}.log`);
  return {
    env,
    daemons,
    logFile,
    async run(set, commands) {
      for (const { name, argv } of commands) {
        const options = { cgroups: site.cgroups, logFile: logFile(name), env };
        daemons[name] = await startDaemon([...enterNamespaces(set.init), ...argv], options);
      }
    },
  };
}

/**
 * Daemons get no settings of the caller's shell: a proxy there would cut them off from each other, and registry
 * credentials in the home folder would be used for pulls.
 */
function daemonEnvironment(packages: string): NodeJS.ProcessEnv {
  return { PATH: `${packages}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`, HOME: "/var/lib" };
}

async function prepareFolders(site: ClusterSite, plan: AddressPlan, hyper: string): Promise<void> {
  const { paths } = site;
  rmSync(`${paths.logs}.previous`, { recursive: true, force: true });
  if (existsSync(paths.logs)) renameSync(paths.logs, `${paths.logs}.previous`);
  for (const folder of [paths.config, paths.logs, paths.volumes, paths.registry])
    mkdirSync(folder, { recursive: true });
  chownSync(paths.registry, 1000, 1000);
  chmodSync(paths.registry, 0o700);
  await ensureCredentials(paths, plan, site.name, hyper);
  await writeFile(corefilePath(paths), corefile(paths, plan));
  for (const node of plan.nodes) {
    mkdirSync(join(paths.root, node.name), { recursive: true });
    await writeFile(kubeletConfigPath(paths, node), kubeletConfig(paths, plan, node, site.cgroups.path));
  }
}

async function createSets(
  site: ClusterSite,
  plan: AddressPlan,
  inputs: StartInputs,
  env: NodeJS.ProcessEnv,
): Promise<{ controlPlane: NamespaceSet; nodes: readonly NamespaceSet[] }> {
  const { paths, cgroups } = site;
  cgroups.create(plan.nodes.map(({ name }) => name));
  await claimHostLink(plan, paths.id);
  const create = (name: string): Promise<NamespaceSet> =>
    createNamespaceSet(name, join(paths.root, name), inputs.pause, {
      cgroups,
      env,
      logFile: join(paths.logs, `${name}-init.log`),
    });
  const [controlPlane, ...nodes] = await Promise.all([
    create("control-plane"),
    ...plan.nodes.map(({ name }) => create(name)),
  ]);
  await connectNetworks(plan, controlPlane, nodes, inputs.routes);
  return { controlPlane, nodes };
}

async function startContainerd(
  site: ClusterSite,
  plan: AddressPlan,
  inputs: StartInputs,
  sets: readonly NamespaceSet[],
  launcher: Launcher,
): Promise<readonly ImageStore[]> {
  const layout = inputs.pauseImage.layout();
  layout.catch(() => undefined);
  const start = async (set: NamespaceSet, position: number): Promise<ImageStore> => {
    const node = plan.nodes[position];
    if (!node) throw new Error(`No addresses for ${set.name}.`);
    const folder = join(site.paths.root, node.name);
    const argv = await prepareContainerd(folder, node, inputs.packages, inputs.pauseImage.reference);
    const name = `${node.name}-containerd`;
    await launcher.run(set, [{ name, argv }]);
    const store = imageStore(set, inputs.packages, launcher.logFile(name));
    await store.waitReady();
    await store.importLayout(await layout);
    return store;
  };
  return Promise.all(sets.map(start));
}

async function startApi(paths: ClusterPaths, launcher: Launcher): Promise<void> {
  using api = connectKubeApi(paths.kubeconfig);
  const options = { timeoutMs: 120_000, logFile: launcher.logFile("apiserver"), everyMs: 50 };
  await waitUntil("the API server is ready", () => api.isReady(), options);
  await forgetEarlierLife(api);
  await api.apply(storageClassManifest.path, storageClassManifest.object);
}

interface NamedObject {
  readonly metadata: { readonly name: string; readonly namespace: string };
}

/**
 * Removes what an earlier life of this cluster left in etcd. Nodes register anew, without old taints and conditions;
 * controllers make their pods anew at once, instead of the kubelet finding out one by one; and namespaces of test runs
 * that were killed go, with their builders.
 */
async function forgetEarlierLife(api: KubeApi): Promise<void> {
  const items = async (path: string): Promise<readonly NamedObject[]> =>
    ((await api.call("GET", path)) as { items: readonly NamedObject[] }).items;
  const now = { apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds: 0 };
  const remove = (path: string): Promise<unknown> => api.call("DELETE", path, now);
  const lists = ["/api/v1/nodes", "/api/v1/pods", "/api/v1/namespaces"].map(items);
  const [nodes = [], pods = [], namespaces = []] = await Promise.all(lists);
  await Promise.all([
    ...nodes.map(({ metadata }) => remove(`/api/v1/nodes/${metadata.name}`)),
    ...pods.map(({ metadata }) => remove(`/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`)),
    ...namespaces.map(({ metadata }) => isLeftByRun(metadata.name) && remove(`/api/v1/namespaces/${metadata.name}`)),
  ]);
}

/** Tests, benches and the demo work in namespaces that begin so; when a stopped cluster starts, none of them runs. */
function isLeftByRun(namespace: string): boolean {
  return namespace.startsWith("slipway-") && namespace !== registryAddress.namespace;
}

async function waitForNodes(paths: ClusterPaths, plan: AddressPlan, launcher: Launcher): Promise<void> {
  using api = connectKubeApi(paths.kubeconfig);
  const isUsable = async (): Promise<boolean> => {
    const nodes = await listNodes(api);
    const usable = nodes.filter(({ isReady, isTainted }) => isReady && !isTainted);
    const account = await api.call("GET", "/api/v1/namespaces/default/serviceaccounts/default");
    return usable.length === plan.nodes.length && account !== undefined;
  };
  await waitUntil("all nodes are ready", isUsable, { timeoutMs: 120_000, logFile: launcher.logFile("node-a-kubelet") });
}
