import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { connectCluster, type Cluster } from "@slipway/cluster";

import type { TestCluster } from "../../dev-cluster/src/index.ts";
import { startCuttingProxy, type CuttingProxy } from "./cutting-proxy.ts";

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

/** Connects to the API server through a proxy on loopback that can be broken; TLS is checked against the server's own name. */
export async function connectThroughProxy(testCluster: TestCluster, namespace: string): Promise<ProxiedCluster> {
  const [kubectl = "", ...prefix] = testCluster.kubectl;
  const view = ["config", "view", "--raw", "--minify", "--flatten", "--context", testCluster.context, "-o", "json"];
  const { stdout } = await promisify(execFile)(kubectl, [...prefix, ...view]);
  const config = JSON.parse(stdout) as KubeconfigView;
  const [entry] = config.clusters;
  if (!entry) throw new Error("the kubeconfig has no cluster");
  const server = new URL(entry.cluster.server);
  const proxy = await startCuttingProxy(server.hostname, Number(server.port || 443));
  const cluster = {
    ...entry.cluster,
    server: `${server.protocol}//127.0.0.1:${proxy.port}`,
    "tls-server-name": entry.cluster["tls-server-name"] ?? server.hostname,
  };
  const folder = await mkdtemp(join(tmpdir(), "slipway-e2e-"));
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, JSON.stringify({ ...config, clusters: [{ ...entry, cluster }] }), { mode: 0o600 });
  const connection = await connectCluster({ kubeconfig, namespace });
  return {
    cluster: connection,
    proxy,
    [Symbol.asyncDispose]: async () => {
      await connection.close();
      await proxy[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
