import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import type { TestCluster } from "../../dev-cluster/src/index.ts";

/** The test cluster's kubeconfig, reduced to its one context. */
export interface ClusterAccess {
  readonly server: URL;
  readonly cluster: Readonly<Record<string, unknown>>;
  readonly user: Readonly<Record<string, unknown>>;
}

/** Reads how the tests reach their cluster. */
export async function readClusterAccess(testCluster: TestCluster): Promise<ClusterAccess> {
  const [kubectl = "", ...prefix] = testCluster.kubectl;
  const view = ["config", "view", "--raw", "--minify", "--flatten", "--context", testCluster.context, "-o", "json"];
  const { stdout } = await promisify(execFile)(kubectl, [...prefix, ...view]);
  const config = JSON.parse(stdout) as {
    clusters: [{ cluster: ClusterAccess["cluster"] & { server: string } }];
    users: [{ user: ClusterAccess["user"] }];
  };
  const { cluster } = config.clusters[0];
  return { server: new URL(cluster.server), cluster, user: config.users[0].user };
}

/** What a kubeconfig of a test's own has otherwise than the cluster's. */
export interface KubeconfigChanges {
  /** Instead of the API server itself; TLS is still checked against the server's own name. */
  readonly server?: string;
  readonly user?: Readonly<Record<string, unknown>>;
}

/** A kubeconfig file; disposing deletes it. */
export interface KubeconfigFile extends AsyncDisposable {
  readonly kubeconfig: string;
  readonly context: string;
}

/** Writes a kubeconfig for the test cluster with some things changed. */
export async function writeKubeconfig(access: ClusterAccess, changes: KubeconfigChanges): Promise<KubeconfigFile> {
  const name = "test";
  const tlsName = { "tls-server-name": access.cluster["tls-server-name"] ?? access.server.hostname };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster: { ...access.cluster, ...tlsName, server: changes.server ?? access.server.href } }],
    users: [{ name, user: changes.user ?? access.user }],
  };
  const folder = await mkdtemp(join(tmpdir(), "slipway-e2e-"));
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, JSON.stringify(config), { mode: 0o600 });
  return { kubeconfig, context: name, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
