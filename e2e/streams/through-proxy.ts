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

async function connectWith(config: KubeconfigView, cluster: ViewedCluster, namespace: string): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-e2e-"));
  try {
    const kubeconfig = join(folder, "kubeconfig");
    const clusters = config.clusters.map(({ name }) => ({ name, cluster }));
    await writeFile(kubeconfig, JSON.stringify({ ...config, clusters }), { mode: 0o600 });
    return await connectCluster({ kubeconfig, namespace });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Connects to the API server through a proxy on loopback that can be broken; TLS is checked against the server's own name. */
export async function connectThroughProxy(testCluster: TestCluster, namespace: string): Promise<ProxiedCluster> {
  const { config, cluster, server } = await readKubeconfig(testCluster);
  const proxy = await startCuttingProxy(server.hostname, Number(server.port || 443));
  const proxied = {
    ...cluster,
    server: `${server.protocol}//127.0.0.1:${proxy.port}`,
    "tls-server-name": cluster["tls-server-name"] ?? server.hostname,
  };
  const connection = await connectWith(config, proxied, namespace);
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
