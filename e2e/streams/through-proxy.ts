import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { connectCluster, type Cluster } from "@slipway/cluster";

import type { TestCluster } from "../../dev-cluster/src/index.ts";
import { startCuttingProxy, type CuttingProxy } from "./cutting-proxy.ts";
import { startInjectingProxy, type InjectingProxy } from "./injecting-proxy.ts";

interface ViewedCluster {
  readonly server: string;
  readonly "certificate-authority-data"?: string;
  readonly "tls-server-name"?: string;
}

interface KubeconfigView {
  readonly clusters: readonly {
    readonly name: string;
    readonly cluster: { readonly server: string } & Record<string, unknown>;
  }[];
}

/** A cluster connection that runs through a proxy, as the test's own does not. */
export interface ProxiedCluster extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly proxy: CuttingProxy;
}

async function readKubeconfig(
  testCluster: TestCluster,
): Promise<{ config: KubeconfigView; cluster: ViewedCluster; server: URL }> {
  const [kubectl = "", ...prefix] = testCluster.kubectl;
  const view = ["config", "view", "--raw", "--minify", "--flatten", "--context", testCluster.context, "-o", "json"];
  const { stdout } = await promisify(execFile)(kubectl, [...prefix, ...view]);
  const config = JSON.parse(stdout) as KubeconfigView;
  const cluster = config.clusters[0]?.cluster;
  if (!cluster) throw new Error("the kubeconfig has no cluster");
  return { config, cluster, server: new URL(cluster.server) };
}

/** A kubeconfig of a test's own; disposing deletes it. */
async function writeKubeconfig(
  config: KubeconfigView,
  cluster: ViewedCluster,
): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-e2e-"));
  const path = join(folder, "kubeconfig");
  const clusters = config.clusters.map(({ name }) => ({ name, cluster }));
  await writeFile(path, JSON.stringify({ ...config, clusters }), { mode: 0o600 });
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

async function connectWith(config: KubeconfigView, cluster: ViewedCluster, namespace: string): Promise<Cluster> {
  await using kubeconfig = await writeKubeconfig(config, cluster);
  return await connectCluster({ kubeconfig: kubeconfig.path, namespace });
}

/** A kubeconfig for clients whose connections a test can cut. */
export interface ProxiedKubeconfig extends AsyncDisposable {
  readonly path: string;
  readonly proxy: CuttingProxy;
}

/** Makes a kubeconfig that leads through a proxy of its own; TLS is checked against the server's own name. */
export async function createProxiedKubeconfig(testCluster: TestCluster): Promise<ProxiedKubeconfig> {
  const { config, cluster, server } = await readKubeconfig(testCluster);
  const proxy = await startCuttingProxy(server.hostname, Number(server.port || 443));
  const kubeconfig = await writeKubeconfig(config, behind(proxy, cluster, server));
  return {
    path: kubeconfig.path,
    proxy,
    [Symbol.asyncDispose]: async () => {
      await kubeconfig[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

function behind(proxy: CuttingProxy, cluster: ViewedCluster, server: URL): ViewedCluster {
  return {
    ...cluster,
    server: `${server.protocol}//127.0.0.1:${proxy.port}`,
    "tls-server-name": cluster["tls-server-name"] ?? server.hostname,
  };
}

/** Connects to the API server through a proxy on loopback that can be broken; TLS is checked against the server's own name. */
export async function connectThroughProxy(testCluster: TestCluster, namespace: string): Promise<ProxiedCluster> {
  const { config, cluster, server } = await readKubeconfig(testCluster);
  const proxy = await startCuttingProxy(server.hostname, Number(server.port || 443));
  const connection = await connectWith(config, behind(proxy, cluster, server), namespace);
  return {
    cluster: connection,
    proxy,
    [Symbol.asyncDispose]: async () => {
      await connection.close();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

/** A cluster connection whose watches a test can expire. */
export interface ExpiringCluster extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly proxy: InjectingProxy;
}

/** Connects to the API server through a proxy that reads HTTP; works for users with a token. */
export async function connectThroughInjectingProxy(
  testCluster: TestCluster,
  namespace: string,
): Promise<ExpiringCluster> {
  const { config, cluster, server } = await readKubeconfig(testCluster);
  const ca = Buffer.from(cluster["certificate-authority-data"] ?? "", "base64");
  const proxy = await startInjectingProxy(server, ca);
  const connection = await connectWith(config, { server: proxy.url }, namespace);
  return {
    cluster: connection,
    proxy,
    [Symbol.asyncDispose]: async () => {
      await connection.close();
      await proxy[Symbol.asyncDispose]();
    },
  };
}
